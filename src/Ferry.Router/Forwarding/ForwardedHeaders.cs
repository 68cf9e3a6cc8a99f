using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Ferry.Router.Forwarding;

/// <summary>Headers that pass: allow-lists, so that no internal header comes in from outside and none goes out.</summary>
internal static class ForwardedHeaders
{
    private static readonly string[] ToNode = ["tracestate", "baggage", "X-Session-ID", "X-data-parallel-rank", "priority"];
    private static readonly string[] ToClient = ["Retry-After", "Cache-Control", "X-Accel-Buffering", "WWW-Authenticate"];
    private const string FerryPrefix = "x-ferry-kv-";

    public static void CopyToNode(LegRequest request, HttpRequestMessage message)
    {
        var headers = message.Headers;
        headers.TryAddWithoutValidation(RequestIds.Header, request.RequestId);
        if (request.TraceParent is { } traceParent)
        {
            headers.TryAddWithoutValidation("traceparent", traceParent);
        }
        else
        {
            Copy(request.Headers, "traceparent", headers);
        }
        if (request.PassesAuthorization)
        {
            Copy(request.Headers, "Authorization", headers);
        }
        foreach (var name in ToNode)
        {
            Copy(request.Headers, name, headers);
        }
    }

    public static void CopyToClient(HttpResponseMessage response, HttpResponse client)
    {
        foreach (var (name, values) in response.Headers.NonValidated)
        {
            if (name.StartsWith(FerryPrefix, StringComparison.OrdinalIgnoreCase) || Passes(name))
            {
                client.Headers[name] = values.Count == 1 ? values.ToString() : values.ToArray();
            }
        }
        if (ContentType(response) is { Length: > 0 } type)
        {
            client.ContentType = type;
        }
    }

    /// <summary>As the node wrote it; empty when it did not.</summary>
    public static string ContentType(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var values) ? values.ToString() : "";

    private static bool Passes(string name)
    {
        foreach (var passing in ToClient)
        {
            if (name.Equals(passing, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }

    private static void Copy(IHeaderDictionary from, string name, HttpRequestHeaders to)
    {
        if (from.TryGetValue(name, out var values) && !StringValues.IsNullOrEmpty(values))
        {
            to.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
    }
}
