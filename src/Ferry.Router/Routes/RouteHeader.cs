using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>The header <c>x-ferry-route</c>: which nodes worked on a request and whether KV was handed over.</summary>
internal static class RouteHeader
{
    public const string Name = "x-ferry-route";

    public static string Value(string? prefill, string decode, string? noHandoverReason) =>
        $"prefill={prefill ?? "-"} decode={decode} handover={Handover(noHandoverReason)}";

    public static string Handover(string? noHandoverReason) => noHandoverReason is null ? "yes" : $"no({noHandoverReason})";

    /// <summary><c>x-ferry-prefill-ms</c>: the first leg as the router saw it; <c>x-ferry-prefill-cached-tokens</c>: what that node had already.</summary>
    public static void WritePrefill(IHeaderDictionary headers, PrefillOutcome outcome)
    {
        if (outcome.Node is null)
        {
            return;
        }
        headers["x-ferry-prefill-ms"] = outcome.Elapsed.TotalMilliseconds.ToString("F2", CultureInfo.InvariantCulture);
        if (outcome.Reply?.CachedTokens is { } cached)
        {
            headers["x-ferry-prefill-cached-tokens"] = cached.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>What the decode node itself says (Ferry's do): it may have been given parameters and still have fetched nothing.</summary>
    public static string? DecodeSays(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("x-ferry-kv-handover", out var values))
        {
            return null;
        }
        var said = values.ToString();
        return said.StartsWith("no(", StringComparison.Ordinal) && said.EndsWith(')') ? said[3..^1] : null;
    }

    /// <summary>A header that is a whole number; null when it is not there or is none.</summary>
    public static long? Number(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) && long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
