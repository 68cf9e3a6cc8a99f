using Microsoft.Extensions.Logging;

namespace Ferry.Engine.Generation;

internal static partial class EngineLog
{
    [LoggerMessage(4100, LogLevel.Warning, "Request {RequestId}: the KV that the connector brought is refused and the prompt computed instead: {Fault}.")]
    public static partial void LoadRefused(ILogger logger, string requestId, string fault);

    [LoggerMessage(4101, LogLevel.Information, "Request {RequestId}: the KV that arrived begins behind what the prefix cache still holds; the prompt is computed instead.")]
    public static partial void LoadUnused(ILogger logger, string requestId);

    [LoggerMessage(4102, LogLevel.Error, "The connector failed on request {RequestId}; the engine goes on without it for this request.")]
    public static partial void ConnectorFailed(ILogger logger, string requestId, Exception error);

    [LoggerMessage(4103, LogLevel.Error, "A step of {SequenceCount} sequences failed; their requests end with an error.")]
    public static partial void StepFailed(ILogger logger, int sequenceCount, Exception error);

    [LoggerMessage(4104, LogLevel.Debug, "Request {RequestId}: choice {Choice} lost its blocks and will be recomputed.")]
    public static partial void Preempted(ILogger logger, string requestId, int choice);

    [LoggerMessage(4105, LogLevel.Error, "Request {RequestId}: choice {Choice} ends with an error: {Error}")]
    public static partial void ChoiceFailed(ILogger logger, string requestId, int choice, string error);

    [LoggerMessage(4106, LogLevel.Critical, "The engine's loop ended by an error; all requests in flight are aborted.")]
    public static partial void LoopFailed(ILogger logger, Exception error);

    [LoggerMessage(4107, LogLevel.Warning, "Loads that were told to end have not ended within {Limit}; the engine stops without them.")]
    public static partial void LoadsStuck(ILogger logger, TimeSpan limit);

    [LoggerMessage(4108, LogLevel.Warning, "The model's chat template cannot be used, so chat requests will be refused: {Reason}")]
    public static partial void TemplateUnusable(ILogger logger, string reason);
}
