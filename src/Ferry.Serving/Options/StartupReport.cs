using System.Text;
using System.Text.Json.Nodes;

namespace Ferry.Serving.Options;

/// <summary>What became of every setting, for people and for programs.</summary>
public static class StartupReport
{
    /// <summary>One line a finding: errors first, then warnings, then what is honoured.</summary>
    public static string ToText(ServeOptionsResult result)
    {
        var text = new StringBuilder();
        foreach (var kind in (FindingKind[])[FindingKind.Error, FindingKind.Warning, FindingKind.Honoured])
        {
            foreach (var finding in result.Findings.Where(finding => finding.Kind == kind))
            {
                text.Append(Word(kind).PadRight(9)).Append(finding.Name);
                if (finding.Value.Length > 0)
                {
                    text.Append(finding.Name.StartsWith('-') ? ' ' : '=').Append(Shorten(finding.Value));
                }
                text.Append(finding.Text.Length > 0 ? ": " + finding.Text : "").Append('\n');
            }
        }
        return text.ToString();
    }

    public static JsonObject ToJson(ServeOptionsResult result) => new()
    {
        ["ok"] = result.Options is not null,
        ["settings"] = new JsonArray([.. result.Findings.Select(finding => (JsonNode)new JsonObject
        {
            ["kind"] = Word(finding.Kind),
            ["name"] = finding.Name,
            ["value"] = finding.Value,
            ["text"] = finding.Text,
        })]),
    };

    private static string Word(FindingKind kind) => kind switch
    {
        FindingKind.Error => "error",
        FindingKind.Warning => "warning",
        _ => "honoured",
    };

    private static string Shorten(string value) => value.Length <= 120 ? value : value[..117] + "…";
}
