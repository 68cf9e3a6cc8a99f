using Microsoft.Extensions.Logging;

namespace Ferry.Router.Discovery;

/// <summary>Events 6100 to 6119.</summary>
internal static partial class DiscoveryLog
{
    [LoggerMessage(6100, LogLevel.Information, "{Role} node {Node} came ({Source})")]
    public static partial void NodeCame(ILogger logger, NodeRole role, string node, string source);

    [LoggerMessage(6101, LogLevel.Information, "{Role} node {Node} went ({Source})")]
    public static partial void NodeWent(ILogger logger, NodeRole role, string node, string source);

    [LoggerMessage(6102, LogLevel.Warning, "discovery by {Source} failed, the nodes it knew stay: {Reason}")]
    public static partial void SourceFailed(ILogger logger, string source, string reason);

    [LoggerMessage(6103, LogLevel.Information, "configuration {Path} read again: {Prefill} prefill and {Decode} decode nodes, policy {Policy}")]
    public static partial void Reloaded(ILogger logger, string? path, int prefill, int decode, string policy);

    [LoggerMessage(6104, LogLevel.Error, "configuration not taken, the router keeps what it has: {Error}")]
    public static partial void ReloadRefused(ILogger logger, string error);
}
