using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>The router's own paths: what a request is counted under, whatever becomes of it, and never what a client made up.</summary>
internal static class RouterPaths
{
    public const string Completions = "/v1/completions";
    public const string ChatCompletions = "/v1/chat/completions";
    public const string Responses = "/v1/responses";
    public const string Models = "/v1/models";
    public const string Version = "/version";
    public const string Other = "other";

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Posts =
        FrozenSet.Create(StringComparer.OrdinalIgnoreCase, [Completions, ChatCompletions, Responses, .. PassThroughRoute.Posts]).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>As endpoints are found: letter case and one slash at the end do not count.</summary>
    public static string Of(HttpRequest request)
    {
        var path = request.Path.Value.AsSpan();
        path = path.EndsWith('/') ? path[..^1] : path;
        if (HttpMethods.IsPost(request.Method))
        {
            return Posts.TryGetValue(path, out var known) ? known : Other;
        }
        return !HttpMethods.IsGet(request.Method) ? Other
            : path.Equals(Version, StringComparison.OrdinalIgnoreCase) ? Version
            : request.Path.StartsWithSegments(Models) ? Models
            : Other;
    }
}
