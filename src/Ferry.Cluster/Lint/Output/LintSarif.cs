using System.Text.Json;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Output;

/// <summary>A report as SARIF 2.1.0 (OASIS), for code scanning.</summary>
public static class LintSarif
{
    public static void Write(LintReport report, string version, Stream output)
    {
        ArgumentNullException.ThrowIfNull(report);
        using var json = new Utf8JsonWriter(output, LintText.JsonFormat);
        RuleInfo[] rules = [.. report.Findings.Select(finding => finding.Rule).DistinctBy(rule => rule.Id)];
        json.WriteStartObject();
        json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        json.WriteString("version", "2.1.0");
        json.WriteStartArray("runs");
        json.WriteStartObject();
        WriteTool(rules, version, json);
        json.WriteString("columnKind", "utf16CodeUnits");
        json.WriteStartArray("results");
        foreach (var finding in report.Findings)
        {
            WriteResult(report, finding, Array.FindIndex(rules, rule => rule.Id == finding.Rule.Id), json);
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTool(RuleInfo[] rules, string version, Utf8JsonWriter json)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "ferry lint");
        json.WriteString("version", version);
        json.WriteStartArray("rules");
        foreach (var rule in rules)
        {
            json.WriteStartObject();
            json.WriteString("id", rule.Id);
            WriteText("shortDescription", rule.Title, json);
            WriteText("fullDescription", rule.Why, json);
            WriteText("help", $"{rule.Fix} {LintText.Page(rule)}", json);
            json.WriteStartObject("defaultConfiguration");
            json.WriteString("level", Level(rule.Severity));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteResult(LintReport report, LintFinding finding, int ruleIndex, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", finding.Rule.Id);
        json.WriteNumber("ruleIndex", ruleIndex);
        json.WriteString("level", Level(finding.Severity));
        WriteText("message", finding.Message, json);
        json.WriteStartArray("locations");
        json.WriteStartObject();
        json.WriteStartObject("physicalLocation");
        WriteArtifact(finding.Span.File, json);
        WriteRegion("region", finding.Span, json);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        if (finding.Fix.Count > 0) { WriteFix(report, finding, json); }
        json.WriteEndObject();
    }

    private static void WriteFix(LintReport report, LintFinding finding, Utf8JsonWriter json)
    {
        json.WriteStartArray("fixes");
        json.WriteStartObject();
        WriteText("description", finding.Rule.Fix, json);
        json.WriteStartArray("artifactChanges");
        foreach (var file in finding.Fix.GroupBy(edit => edit.Span.File))
        {
            json.WriteStartObject();
            WriteArtifact(file.Key, json);
            json.WriteStartArray("replacements");
            foreach (var edit in file)
            {
                json.WriteStartObject();
                WriteRegion("deletedRegion", edit.Span, json);
                WriteText("insertedContent", report.Redact(edit.NewText), json);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteArtifact(SourceFile file, Utf8JsonWriter json)
    {
        json.WriteStartObject("artifactLocation");
        json.WriteString("uri", Uri.EscapeDataString(file.Path).Replace("%2F", "/", StringComparison.Ordinal));
        json.WriteEndObject();
    }

    private static void WriteRegion(string name, SourceSpan span, Utf8JsonWriter json)
    {
        json.WriteStartObject(name);
        json.WriteNumber("startLine", span.Line);
        json.WriteNumber("startColumn", span.Column);
        json.WriteNumber("endLine", span.File.LineOf(span.End));
        json.WriteNumber("endColumn", span.File.ColumnOf(span.End));
        json.WriteEndObject();
    }

    private static void WriteText(string name, string text, Utf8JsonWriter json)
    {
        json.WriteStartObject(name);
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    private static string Level(LintSeverity severity) => severity switch
    {
        LintSeverity.Error => "error",
        LintSeverity.Warning => "warning",
        _ => "note",
    };
}
