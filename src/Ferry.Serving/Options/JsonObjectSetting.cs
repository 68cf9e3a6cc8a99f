using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <summary>A flag whose value is a JSON object, as vLLM takes some.</summary>
internal static class JsonObjectSetting
{
    /// <summary>Reads the value, or adds an error and returns null. A key given twice is an error at any depth.</summary>
    public static JsonObject? Read(SettingValue value, string flag, string example, int lengthMax, int depthMax)
    {
        if (value.Text.Length > lengthMax)
        {
            value.Error($"{flag} has {value.Text.Length} characters; at most {lengthMax} are read.");
            return null;
        }
        try
        {
            if (JsonNode.Parse(value.Text, documentOptions: new JsonDocumentOptions { MaxDepth = depthMax, AllowDuplicateProperties = false }) is JsonObject json)
            {
                return json;
            }
            value.Error($"{flag} must be a JSON object, for example {example}.");
        }
        catch (JsonException exception)
        {
            value.Error($"{flag} is not valid JSON: {exception.Message} Quote it for the shell: {example}.");
        }
        return null;
    }
}
