using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Api;

/// <summary>Log messages of the HTTP surface: events 7000 to 7099.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(7000, LogLevel.Information, "{RequestId} {Path} {Status} {Reason}: prompt {PromptTokens} (cached {CachedTokens}, KV from {Source}), output {OutputTokens}, first token {FirstTokenMs:F1} ms, all {TotalMs:F1} ms")]
    public static partial void RequestDone(
        ILogger logger, string requestId, string path, int status, string reason, int promptTokens, int cachedTokens, string source, int outputTokens, double firstTokenMs, double totalMs);

    [LoggerMessage(7001, LogLevel.Debug, "{RequestId}: the client went away")]
    public static partial void ClientGone(ILogger logger, string requestId);

    [LoggerMessage(7002, LogLevel.Error, "{RequestId}: request failed")]
    public static partial void RequestFailed(ILogger logger, string requestId, Exception exception);

    [LoggerMessage(7003, LogLevel.Debug, "{RequestId}: unknown body fields ignored, as vLLM does: {Fields}")]
    public static partial void UnknownFields(ILogger logger, string requestId, string fields);

    [LoggerMessage(7004, LogLevel.Warning, "{RequestId}: the hand-over did not happen ({Reason}); {Tokens} prompt tokens were computed here")]
    public static partial void HandoverMissed(ILogger logger, string requestId, string reason, int tokens);
}
