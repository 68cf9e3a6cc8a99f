using System.Globalization;
using System.Text.Json.Nodes;
using Ferry.Cluster.Reading;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Schema;

/// <summary>Defaults as a file would write them.</summary>
internal static class SpecDefaults
{
    public static string ToText(object value, SpecValueKind kind) => (kind, value) switch
    {
        (SpecValueKind.Bytes, long bytes) => bytes == 0 ? "0" : ByteSize.Format(bytes).Replace(" ", "", StringComparison.Ordinal),
        (SpecValueKind.Rate, long rate) => RateText.Format(rate).Replace(" ", "", StringComparison.Ordinal),
        (SpecValueKind.Choice, _) => SpecChoices.NameOf(value),
        (_, bool flag) => flag ? "true" : "false",
        (_, IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    public static JsonNode ToJson(object value, SpecValueKind kind) => value switch
    {
        bool flag => flag,
        int number when kind == SpecValueKind.Integer => number,
        long number when kind == SpecValueKind.Integer => number,
        double number => number,
        _ => ToText(value, kind),
    };
}
