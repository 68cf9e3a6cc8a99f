using System.Text.Json;

namespace Ferry.Engine.Model;

/// <summary>Reads the small JSON files of a model directory: capped in size and depth, no key twice, errors with file and key.</summary>
internal sealed class ModelJson
{
    // Real ones have 1 to 3 levels.
    private const int MaxDepth = 16;

    private readonly JsonElement _root;
    private readonly string _path;
    private readonly string _prefix;

    private ModelJson(JsonElement root, string path, string prefix)
    {
        _root = root;
        _path = path;
        _prefix = prefix;
    }

    public IEnumerable<string> Keys => _root.EnumerateObject().Select(property => property.Name);

    /// <exception cref="ModelLoadException">No such file, too large, or not a JSON object.</exception>
    public static ModelJson Read(string path, long maxBytes)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new ModelLoadException($"{path} does not exist. A model directory has config.json, tokenizer.json and *.safetensors as Hugging Face lays them out.");
        }
        if (file.Length > maxBytes)
        {
            throw new ModelLoadException($"{path} has {file.Length} bytes; at most {maxBytes} are allowed for this file.");
        }
        return Parse(File.ReadAllBytes(path), path);
    }

    public static ModelJson Parse(ReadOnlyMemory<byte> utf8, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            ReadAllText(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ModelJson(document.RootElement.Clone(), path, "")
                : throw new ModelLoadException($"{path} holds a JSON {document.RootElement.ValueKind}; an object is needed.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ModelLoadException($"{path} is not valid JSON: {exception.Message}", exception);
        }
    }

    /// <summary>Null when the key is absent or null.</summary>
    public ModelJson? Object(string key) => Find(key) is { } value
        ? value.ValueKind == JsonValueKind.Object ? new ModelJson(value, _path, $"{_prefix}{key}.") : throw Wrong(key, value, "an object")
        : null;

    public string? String(string key) => Find(key) is { } value
        ? value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(key, value, "a string")
        : null;

    public bool Bool(string key, bool otherwise) => Find(key) is { } value
        ? value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(key, value, "true or false")
        : otherwise;

    public double? Number(string key, double least, double most) => Find(key) is { } value
        ? value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most
            ? number
            : throw Wrong(key, value, $"a number in {least}..{most}")
        : null;

    public int? Int(string key, int least, int most) => Find(key) is { } value
        ? value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most
            ? number
            : throw Wrong(key, value, $"an integer in {least}..{most}")
        : null;

    public int RequiredInt(string key, int least, int most) => Int(key, least, most)
        ?? throw new ModelLoadException($"{_path} has no {_prefix}{key}; an integer in {least}..{most} is needed.");

    /// <summary>One integer or a list of them; empty when absent.</summary>
    public IReadOnlyList<int> Ints(string key, int maxCount)
    {
        if (Find(key) is not { } value)
        {
            return [];
        }
        if (value.ValueKind != JsonValueKind.Array)
        {
            return [Int(key, int.MinValue, int.MaxValue)!.Value];
        }
        if (value.GetArrayLength() > maxCount)
        {
            throw new ModelLoadException($"{_path}: {_prefix}{key} has {value.GetArrayLength()} entries; at most {maxCount} are allowed.");
        }
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int number) ? number : throw Wrong(key, item, "a list of integers"))];
    }

    public IReadOnlyList<string> Strings(string key, int maxCount)
    {
        if (Find(key) is not { } value)
        {
            return [];
        }
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > maxCount)
        {
            throw Wrong(key, value, $"a list of at most {maxCount} strings");
        }
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(key, item, "a list of strings"))];
    }

    /// <summary>Whether the key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Decodes every name and string once: the parser lets bad UTF-8 and lone surrogates pass and throws InvalidOperationException only here.</summary>
    private static void ReadAllText(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    ReadAllText(item);
                }
                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    ReadAllText(property.Value);
                }
                break;
            default:
                break;
        }
    }

    private JsonElement? Find(string key) =>
        _root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private ModelLoadException Wrong(string key, JsonElement value, string wanted)
    {
        string text = value.GetRawText();
        return new ModelLoadException($"{_path}: {_prefix}{key} is {(text.Length > 80 ? text[..80] + "…" : text)}; {wanted} is needed.");
    }
}
