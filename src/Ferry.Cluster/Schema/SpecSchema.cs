using System.Text.Json.Nodes;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Schema;

/// <summary>The JSON schema of ferry.yaml, made from the types: editors complete and check with it what the reader checks.</summary>
public static class SpecSchema
{
    /// <summary>Draft 2020-12.</summary>
    public static JsonObject Build()
    {
        var definitions = new JsonObject();
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = "https://ferry.example/ferry.schema.json",
            ["title"] = "ferry.yaml",
            ["description"] = "A cluster for disaggregated serving, as ferry lint, render, verify and plan read it.",
        };
        foreach (var (name, value) in Record(SpecRecordType.Of(typeof(ClusterSpec)), definitions).ToList())
        {
            schema[name] = value!.DeepClone();
        }
        schema["$defs"] = definitions;
        return schema;
    }

    private static JsonObject Record(SpecRecordType type, JsonObject definitions)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var property in type.Properties)
        {
            properties[property.Name] = Property(property, type, definitions);
            if (property.IsRequired)
            {
                required.Add(property.Name);
            }
        }
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (required.Count > 0)
        {
            schema["required"] = required;
        }
        if (type.Type == typeof(SecretSpec))
        {
            (schema["minProperties"], schema["maxProperties"]) = (1, 1);
        }
        if (type.Type == typeof(StorageSpec))
        {
            schema["maxProperties"] = 1;
        }
        // What stands there empty ("cache:") is all defaults.
        if (required.Count == 0 && type.Type != typeof(SecretSpec))
        {
            schema["type"] = new JsonArray("object", "null");
        }
        return schema;
    }

    private static JsonObject Property(SpecProperty property, SpecRecordType owner, JsonObject definitions)
    {
        var schema = Value(property.Type, property.Key, definitions);
        schema["description"] = property.Key.Text;
        if (property.Key.Example.Length > 0)
        {
            schema["examples"] = new JsonArray(property.Key.Example);
        }
        if (property.Type.Kind is not (SpecValueKind.Record or SpecValueKind.List or SpecValueKind.Map) && owner.DefaultOf(property) is { } value)
        {
            schema["default"] = SpecDefaults.ToJson(value, property.Type.Kind);
        }
        return schema;
    }

    private static JsonObject Value(SpecValueType type, SpecKeyAttribute key, JsonObject definitions)
    {
        switch (type.Kind)
        {
            case SpecValueKind.Record:
                var name = type.Clr.Name;
                if (!definitions.ContainsKey(name))
                {
                    definitions[name] = new JsonObject();   // stands there already when the record refers to itself
                    definitions[name] = Record(SpecRecordType.Of(type.Clr), definitions);
                }
                return new JsonObject { ["$ref"] = $"#/$defs/{name}" };
            case SpecValueKind.List:
                return new JsonObject { ["type"] = "array", ["items"] = Value(type.Item!, key, definitions), ["minItems"] = key.MinimumItems, ["maxItems"] = key.MaximumItems };
            case SpecValueKind.Map:
                return new JsonObject { ["type"] = new JsonArray("object", "null"), ["additionalProperties"] = Value(type.Item!, key, definitions), ["maxProperties"] = key.MaximumItems };
            case SpecValueKind.Choice:
                return new JsonObject { ["enum"] = new JsonArray([.. SpecChoices.Of(type.Clr).Select(choice => (JsonNode)choice.Name)]) };
            case SpecValueKind.Boolean:
                return new JsonObject { ["type"] = "boolean" };
            case SpecValueKind.Text:
                return Text(key);
            case SpecValueKind.Bytes:
                return Bounded(new JsonObject { ["type"] = new JsonArray("string", "integer"), ["pattern"] = @"^\s*[0-9.]+\s*([KMGTkmgt][Ii]?[Bb]|[Bb])?\s*$" }, key);
            case SpecValueKind.Rate:
                return Bounded(new JsonObject { ["type"] = new JsonArray("string", "integer"), ["pattern"] = @"^\s*[0-9.]+\s*([KMGTkmgt]?[Ii]?([Bb]|[Bb]it))?(/s|ps)?\s*$" }, key);
            default:
                return Bounded(new JsonObject { ["type"] = type.Kind == SpecValueKind.Integer ? "integer" : "number" }, key);
        }
    }

    private static JsonObject Text(SpecKeyAttribute key)
    {
        // What looks like a number is one to an editor, and a text to us: version: 0.24.
        var schema = new JsonObject { ["type"] = key.Pattern.StartsWith("[0-9]", StringComparison.Ordinal) || key.Pattern.Length == 0 ? new JsonArray("string", "number", "boolean") : "string" };
        if (key.Pattern.Length > 0)
        {
            schema["pattern"] = $"^(?:{key.Pattern})$";
        }
        return schema;
    }

    private static JsonObject Bounded(JsonObject schema, SpecKeyAttribute key)
    {
        if (!double.IsInfinity(key.Minimum))
        {
            schema["minimum"] = key.Minimum;
        }
        if (!double.IsInfinity(key.Maximum))
        {
            schema["maximum"] = key.Maximum;
        }
        return schema;
    }
}
