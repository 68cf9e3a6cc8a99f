using System.Text;
using System.Text.Json.Nodes;

namespace Ferry.Kv.Settings;

/// <summary>What became of every setting, for people and for programs.</summary>
public static class StartupReport
{
    /// <summary>One line a finding: errors first, then warnings, then what is honoured.</summary>
    public static string ToText(IReadOnlyList<Finding> findings) => ToText(findings, FindingKind.Error, FindingKind.Warning, FindingKind.Honoured);

    /// <summary>Of a start that was refused: what is wrong and nothing else.</summary>
    public static string ToRefusal(IReadOnlyList<Finding> findings) => ToText(findings, FindingKind.Error, FindingKind.Warning);

    private static string ToText(IReadOnlyList<Finding> findings, params ReadOnlySpan<FindingKind> kinds)
    {
        var text = new StringBuilder();
        foreach (var kind in kinds)
        {
            foreach (var finding in findings.Where(finding => finding.Kind == kind))
            {
                text.Append(Word(kind).PadRight(9));
                if (finding.Place.Length > 0)
                {
                    text.Append(finding.Place).Append(' ');
                }
                text.Append(finding.Name);
                if (finding.Value.Length > 0)
                {
                    text.Append(finding.Name.StartsWith('-') ? ' ' : '=').Append(Shorten(finding.Value));
                }
                text.Append(finding.Text.Length > 0 ? ": " + finding.Text : "").Append('\n');
            }
        }
        return text.ToString();
    }

    public static JsonObject ToJson(IReadOnlyList<Finding> findings) => new()
    {
        ["ok"] = findings.All(finding => finding.Kind != FindingKind.Error),
        ["settings"] = new JsonArray([.. findings.Select(finding =>
        {
            var row = new JsonObject
            {
                ["kind"] = Word(finding.Kind),
                ["name"] = finding.Name,
                ["value"] = finding.Value,
                ["text"] = finding.Text,
            };
            if (finding.Place.Length > 0)
            {
                row["place"] = finding.Place;
            }
            return (JsonNode)row;
        })]),
    };

    private static string Word(FindingKind kind) => kind switch
    {
        FindingKind.Error => "error",
        FindingKind.Warning => "warning",
        _ => "honoured",
    };

    /// <summary>A value stands on one line: what a file holds may contain line ends, and a terminal's control characters.</summary>
    private static string Shorten(string value)
    {
        var line = string.Concat(value.Select(character => char.IsControl(character) ? ' ' : character));
        return line.Length <= 120 ? line : line[..117] + "…";
    }
}
