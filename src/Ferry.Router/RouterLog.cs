using Microsoft.Extensions.Logging;

namespace Ferry.Router;

/// <summary>Log messages of the router: events 6000 to 6099.</summary>
internal static partial class RouterLog
{
    /// <summary>The one line of a request.</summary>
    [LoggerMessage(6000, LogLevel.Information,
        "{RequestId} {Method} {Path} {Status} {Outcome}: tenant {Tenant}, prefill {Prefill} {PrefillMs:F1} ms, decode {Decode}, handover {Handover}, retries {Retries}, tokens {PromptTokens}/{CachedTokens}/{OutputTokens}, all {TotalMs:F1} ms")]
    public static partial void RequestDone(
        ILogger logger, string requestId, string method, string path, int status, string outcome, string tenant, string prefill, double prefillMs, string decode, string handover, int retries,
        int? promptTokens, int? cachedTokens, int? outputTokens, double totalMs);

    [LoggerMessage(6001, LogLevel.Warning, "{RequestId}: prefill node {Node} failed: {Reason}")]
    public static partial void PrefillFailed(ILogger logger, string requestId, string node, string reason);

    [LoggerMessage(6002, LogLevel.Warning, "{RequestId}: no hand-over ({Reason}); the decode node does the whole request")]
    public static partial void DecodeOnly(ILogger logger, string requestId, string reason);

    [LoggerMessage(6003, LogLevel.Error, "{RequestId}: decode node {Node} failed: {Reason}")]
    public static partial void DecodeFailed(ILogger logger, string requestId, string node, string reason);

    [LoggerMessage(6004, LogLevel.Debug, "{RequestId}: the client went away")]
    public static partial void ClientGone(ILogger logger, string requestId);

    [LoggerMessage(6005, LogLevel.Error, "{RequestId}: request failed")]
    public static partial void RequestFailed(ILogger logger, string requestId, Exception exception);

    [LoggerMessage(6050, LogLevel.Information, "node {Node} is {Engine} {Version}")]
    public static partial void NodeVersion(ILogger logger, string node, string engine, string version);
}
