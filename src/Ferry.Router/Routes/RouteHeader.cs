namespace Ferry.Router.Routes;

/// <summary>The header <c>x-ferry-route</c>: which nodes worked on a request and whether KV was handed over.</summary>
internal static class RouteHeader
{
    public const string Name = "x-ferry-route";

    public static string Value(string? prefill, string decode, string? noHandoverReason) =>
        $"prefill={prefill ?? "-"} decode={decode} handover={Handover(noHandoverReason)}";

    public static string Handover(string? noHandoverReason) => noHandoverReason is null ? "yes" : $"no({noHandoverReason})";

    /// <summary>What the decode node itself says (Ferry's do): it may have been given parameters and still have fetched nothing.</summary>
    public static string? DecodeSays(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("x-ferry-kv-handover", out var values))
        {
            return null;
        }
        var said = values.First();
        return said.StartsWith("no(", StringComparison.Ordinal) && said.EndsWith(')') ? said[3..^1] : null;
    }
}
