using Ferry.Router.Choosing;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Health;

/// <summary>Events 6120 to 6139.</summary>
internal static partial class HealthLog
{
    [LoggerMessage(6120, LogLevel.Warning, "{Role} node {Node} is left out for {Seconds:F1} s: its legs fail, the last one {Failure}")]
    public static partial void NodeEjected(ILogger logger, NodeRole role, string node, double seconds, LegFailure failure);

    [LoggerMessage(6121, LogLevel.Warning, "transfers from {Prefill} to {Decode} fail; the pair is left out for {Seconds:F0} s: {Reason}")]
    public static partial void PairOpened(ILogger logger, string prefill, string decode, double seconds, string reason);

    [LoggerMessage(6122, LogLevel.Warning, "{Role} node {Node} is down: {Reason}")]
    public static partial void NodeDown(ILogger logger, NodeRole role, string node, string reason);

    [LoggerMessage(6123, LogLevel.Information, "{Role} node {Node} is up")]
    public static partial void NodeUp(ILogger logger, NodeRole role, string node);

    [LoggerMessage(6124, LogLevel.Information, "{Role} node {Node} drains: no new work")]
    public static partial void DrainStarted(ILogger logger, NodeRole role, string node);

    [LoggerMessage(6125, LogLevel.Information, "{Role} node {Node} is empty")]
    public static partial void Drained(ILogger logger, NodeRole role, string node);

    [LoggerMessage(6126, LogLevel.Error, "the health probe of {Node} broke")]
    public static partial void ProbeBroke(ILogger logger, string node, Exception exception);
}
