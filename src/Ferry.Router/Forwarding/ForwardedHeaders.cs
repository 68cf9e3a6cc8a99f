using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Ferry.Router.Forwarding;

/// <summary>Headers that pass: allow-lists, so that no internal header comes in from outside.</summary>
internal static class ForwardedHeaders
{
    private static readonly string[] ToNode = ["Authorization", "traceparent", "tracestate", "X-Session-ID", "X-data-parallel-rank"];
    private static readonly string[] ToClient = ["Retry-After", "Cache-Control", "X-Accel-Buffering", "WWW-Authenticate"];
    private const string FerryPrefix = "x-ferry-kv-";

    public static void CopyToNode(LegRequest request, HttpRequestMessage message)
    {
        message.Headers.TryAddWithoutValidation("X-Request-Id", request.RequestId);
        foreach (var name in ToNode)
        {
            if (request.Headers.TryGetValue(name, out var values) && !StringValues.IsNullOrEmpty(values))
            {
                message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }
    }

    public static void CopyToClient(HttpResponseMessage response, HttpResponse client)
    {
        foreach (var name in ToClient)
        {
            if (response.Headers.TryGetValues(name, out var values))
            {
                client.Headers[name] = values.ToArray();
            }
        }
        foreach (var (name, values) in response.Headers)
        {
            if (name.StartsWith(FerryPrefix, StringComparison.OrdinalIgnoreCase))
            {
                client.Headers[name] = values.ToArray();
            }
        }
        if (response.Content.Headers.ContentType is { } type)
        {
            client.ContentType = type.ToString();
        }
    }
}
