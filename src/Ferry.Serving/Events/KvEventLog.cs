using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Events;

/// <summary>Events 7520 to 7529.</summary>
internal static partial class KvEventLog
{
    [LoggerMessage(7520, LogLevel.Information, "Publishes KV events on {Endpoint}, replay on {ReplayEndpoint}.")]
    public static partial void Publishes(ILogger logger, string endpoint, string replayEndpoint);

    [LoggerMessage(7521, LogLevel.Debug, "A question for a replay of KV events has not the form of one and is not answered.")]
    public static partial void OddQuestion(ILogger logger);
}
