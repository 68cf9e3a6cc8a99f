using System.Text.Json;

namespace Ferry.Cli;

/// <summary>How every command's <c>--json</c> is written: names in camel case, indented.</summary>
internal static class JsonOutput
{
    public static JsonSerializerOptions Format { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true };
}
