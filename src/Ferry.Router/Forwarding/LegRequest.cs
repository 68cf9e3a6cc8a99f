using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Forwarding;

/// <summary>What both legs of a request have in common.</summary>
/// <param name="RequestId">Sent as X-Request-Id on both legs.</param>
/// <param name="Path">Of the client's request, with its query.</param>
/// <param name="Headers">The client's.</param>
public sealed record LegRequest(string RequestId, string Path, IHeaderDictionary Headers)
{
    private const string IdHeader = "X-Request-Id";
    private const int MaxIdCharacters = 256;

    public static LegRequest Of(HttpContext context)
    {
        string? sent = context.Request.Headers[IdHeader];
        var usable = sent is { Length: > 0 and <= MaxIdCharacters } && sent.All(character => character is > ' ' and <= '~');
        var id = usable ? sent! : Guid.NewGuid().ToString("D");
        context.TraceIdentifier = id;
        return new LegRequest(id, context.Request.Path + context.Request.QueryString, context.Request.Headers);
    }
}
