using System.Globalization;
using System.Text.Json.Nodes;
using Ferry.Cluster.Yaml;

namespace Ferry.UnitTests.Cluster.Schema;

/// <summary>A YAML document as an editor's schema checker sees it: scalars typed by YAML's core schema.</summary>
internal static class YamlAsJson
{
    public static JsonNode? Of(string text) => Of(YamlTreeReader.Read(text)!);

    private static JsonNode? Of(YamlTree node) => node switch
    {
        YamlScalar scalar => Of(scalar),
        YamlList list => new JsonArray([.. list.Items.Select(Of)]),
        YamlMap map => new JsonObject(map.Entries.Select(entry => KeyValuePair.Create(entry.Key.Text, Of(entry.Value)))),
        _ => throw new ArgumentException("Not a node."),
    };

    private static JsonNode? Of(YamlScalar scalar)
    {
        if (!scalar.IsPlain)
        {
            return scalar.Text;
        }
        if (scalar.IsNull)
        {
            return null;
        }
        return scalar.Text is "true" or "false" ? scalar.Text == "true"
            : long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole
            : double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real
            : scalar.Text;
    }
}
