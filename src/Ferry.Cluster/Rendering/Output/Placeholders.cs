using System.Text.RegularExpressions;

namespace Ferry.Cluster.Rendering.Output;

/// <summary>Placeholders that a description may have in place of an address: <c>&lt;prefill-ip&gt;</c>.</summary>
internal static partial class Placeholders
{
    /// <summary>Every placeholder once, in the order of first use.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<string> texts) =>
        [.. texts.SelectMany(text => Form().Matches(text).Select(match => match.Value)).Distinct()];

    [GeneratedRegex("<[a-z0-9-]+>")]
    private static partial Regex Form();
}
