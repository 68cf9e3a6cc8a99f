using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Forwarding;

/// <summary>What both legs of a request have in common.</summary>
/// <param name="RequestId">Sent as X-Request-Id on both legs. No other request has it: engines key their KV by it.</param>
/// <param name="Path">Of the client's request, with its query.</param>
/// <param name="Headers">The client's.</param>
/// <param name="PassesAuthorization">False: the client's key is this router's own and no node's business.</param>
internal sealed record LegRequest(string RequestId, string Path, IHeaderDictionary Headers, bool PassesAuthorization)
{
    /// <summary>W3C trace context of the leg; null: the client's own passes.</summary>
    public string? TraceParent { get; init; }
}
