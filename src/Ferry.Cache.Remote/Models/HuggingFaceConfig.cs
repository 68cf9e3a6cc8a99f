using System.Text.Json;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Remote.Models;

/// <summary>Reads the shape of a model's KV from its Hugging Face <c>config.json</c>. What it does not plainly say is not guessed.</summary>
internal static class HuggingFaceConfig
{
    private const int FileBytesMax = 4 << 20; // The longest published ones, with their label maps, have some hundred KB.

    /// <summary>The card with the shape filled in, or with the reason why this model's KV is never converted.</summary>
    /// <param name="error">Why the file cannot be used; null when it can.</param>
    public static ModelCard Read(ModelCard card, string path, out string? error)
    {
        error = null;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax } large)
            {
                error = $"{path} has {large.Length} bytes; a config.json has at most {FileBytesMax}.";
                return card;
            }
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Read(card, document.RootElement, path, out error);
        }
        catch (JsonException exception)
        {
            error = $"{path}:{exception.LineNumber + 1}:{exception.BytePositionInLine + 1}: not JSON: {exception.Message}";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            error = $"\"{path}\" cannot be read: {exception.Message}";
        }
        return card;
    }

    private static ModelCard Read(ModelCard card, JsonElement root, string path, out string? error)
    {
        error = null;
        if (root.ValueKind != JsonValueKind.Object)
        {
            error = $"{path} is not a JSON object.";
            return card;
        }
        // Models of text and images keep the language model's shape one level down.
        if (!root.TryGetProperty("num_hidden_layers", out _) && root.TryGetProperty("text_config", out var text) && text.ValueKind == JsonValueKind.Object)
        {
            root = text;
        }
        if (FindRefusal(root) is { } refusal)
        {
            return card with { Refusal = $"{refusal} ({path})" };
        }
        var errors = new List<string>();
        var layers = Number(root, "num_hidden_layers", KvLayout.MaxLayers, errors);
        var attentionHeads = Number(root, "num_attention_heads", int.MaxValue, errors);
        var kvHeads = Number(root, "num_key_value_heads", KvLayout.MaxHeads, errors) ?? attentionHeads;
        var headDim = Number(root, "head_dim", KvLayout.MaxHeadDim, errors);
        if (headDim is null && Number(root, "hidden_size", int.MaxValue, errors) is { } hidden && attentionHeads is { } heads)
        {
            if (hidden % heads != 0)
            {
                errors.Add($"hidden_size={hidden} is no multiple of num_attention_heads={heads}, and there is no head_dim");
            }
            headDim = hidden / heads;
        }
        if (errors.Count > 0)
        {
            error = $"{path}: {string.Join("; ", errors)}.";
        }
        return card with { Layers = layers ?? 0, KvHeads = kvHeads ?? 0, HeadDim = headDim ?? 0 };
    }

    /// <summary>Attention whose KV is not layers × heads × tokens × head dim, every layer and token alike.</summary>
    private static string? FindRefusal(JsonElement root)
    {
        if (Has(root, "kv_lora_rank") || Text(root, "model_type") is "deepseek_v2" or "deepseek_v3")
        {
            return "multi-head latent attention has no KV heads";
        }
        if (Has(root, "sliding_window") && !IsFalse(root, "use_sliding_window"))
        {
            return "with a sliding window engines keep only part of a chunk's tokens";
        }
        if (Has(root, "attention_chunk_size"))
        {
            return "with chunked attention engines keep only part of a chunk's tokens";
        }
        if (root.TryGetProperty("layer_types", out var types) && types.ValueKind == JsonValueKind.Array
            && types.EnumerateArray().Any(type => type.ValueKind != JsonValueKind.String || type.GetString() != "full_attention"))
        {
            return "not every layer has full attention (layer_types)";
        }
        foreach (var name in (ReadOnlySpan<string>)["layers_block_type", "hybrid_override_pattern", "mamba_d_state", "ssm_cfg", "linear_num_key_heads", "block_configs"])
        {
            if (Has(root, name))
            {
                return $"its layers are not all of one kind ({name})";
            }
        }
        if (root.TryGetProperty("num_kv_shared_layers", out var shared) && shared.ValueKind == JsonValueKind.Number && shared.TryGetInt32(out var layers) && layers > 0)
        {
            return "some of its layers share KV (num_kv_shared_layers)";
        }
        if (root.TryGetProperty("is_encoder_decoder", out var encoder) && encoder.ValueKind == JsonValueKind.True)
        {
            return "it has an encoder (is_encoder_decoder)";
        }
        return Has(root, "multi_query") || Has(root, "num_kv_heads")
            ? "its config.json names KV heads in its own way (multi_query, num_kv_heads): state layers, kv_heads and head_dim in the card instead of config"
            : null;
    }

    private static bool Has(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False);

    private static bool IsFalse(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.False;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? Number(JsonElement root, string name, int max, List<string> errors)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 1 && number <= max)
        {
            return number;
        }
        errors.Add($"{name} is {value.GetRawText()}; it must be a whole number in 1..{max}");
        return null;
    }
}
