using System.Text.Json;

namespace Ferry.Cluster.Lint.Output;

/// <summary>A report as JSON: <c>{"findings":[{"rule","severity","file","line",…}],"summary":{…}}</c>.</summary>
public static class LintJson
{
    public static void Write(LintReport report, Stream output)
    {
        ArgumentNullException.ThrowIfNull(report);
        using var json = new Utf8JsonWriter(output, LintText.JsonFormat);
        json.WriteStartObject();
        json.WriteStartArray("findings");
        foreach (var finding in report.Findings)
        {
            WriteFinding(report, finding, json);
        }
        json.WriteEndArray();
        json.WriteStartObject("summary");
        json.WriteString("recognised", report.Summary);
        json.WriteNumber("files", report.Files.Count);
        json.WriteNumber("passedOver", report.PassedOverCount);
        json.WriteNumber("errors", report.Count(LintSeverity.Error));
        json.WriteNumber("warnings", report.Count(LintSeverity.Warning));
        json.WriteNumber("infos", report.Count(LintSeverity.Info));
        json.WriteNumber("suppressed", report.SuppressedCount);
        json.WriteNumber("leftOut", report.DroppedCount);
        json.WriteNumber("exitCode", report.ExitCode);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFinding(LintReport report, LintFinding finding, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("rule", finding.Rule.Id);
        json.WriteString("severity", LintText.Name(finding.Severity));
        json.WriteString("file", finding.Span.File.Path);
        json.WriteNumber("line", finding.Span.Line);
        json.WriteNumber("column", finding.Span.Column);
        json.WriteNumber("endLine", finding.Span.EndLine);
        json.WriteString("message", finding.Message);
        json.WriteString("title", finding.Rule.Title);
        json.WriteString("help", LintText.Page(finding.Rule));
        if (finding.Fix.Count == 0)
        {
            json.WriteNull("fix");
        }
        else
        {
            json.WriteStartObject("fix");
            json.WriteStartArray("edits");
            foreach (var edit in finding.Fix)
            {
                json.WriteStartObject();
                json.WriteString("file", edit.Span.File.Path);
                json.WriteNumber("line", edit.Span.Line);
                json.WriteNumber("column", edit.Span.Column);
                json.WriteNumber("offset", edit.Span.Offset);
                json.WriteNumber("length", edit.Span.Length);
                json.WriteString("newText", report.Redact(edit.NewText));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
