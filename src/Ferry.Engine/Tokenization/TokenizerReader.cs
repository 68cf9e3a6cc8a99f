using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ferry.Engine.Tokenization;

/// <summary>Reads tokenizer.json and tokenizer_config.json. Untrusted: every count and kind is checked, what is not understood is refused by name.</summary>
internal static class TokenizerReader
{
    // The largest published files (Llama 3 with strings for merges, Gemma) have 9 to 34 MB, 262,144 tokens and 580,000 merges.
    public const int MaxTokenizerBytes = 64 << 20;
    public const int MaxConfigBytes = 8 << 20;
    private const int MaxTokenId = 1 << 21;
    private const int MaxMerges = 1 << 21;
    private const int MaxAddedTokens = 1 << 16;

    /// <exception cref="TokenizerException">Damaged or of an unsupported kind.</exception>
    public static TokenizerParts Read(ReadOnlyMemory<byte> tokenizerJson, ReadOnlyMemory<byte> tokenizerConfig)
    {
        try
        {
            using var document = JsonDocument.Parse(tokenizerJson);
            var config = tokenizerConfig.IsEmpty ? null : JsonNode.Parse(tokenizerConfig.Span)?.AsObject();
            return Read(document.RootElement, config);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            // InvalidOperation, Format and KeyNotFound are how JsonElement says "of another kind", "no such number", "absent".
            throw new TokenizerException($"The tokenizer files are damaged: {error.Message}", error);
        }
    }

    private static TokenizerParts Read(JsonElement root, JsonObject? config)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var model = root.GetProperty("model");
        CheckModel(model);
        var vocabulary = ReadVocabulary(model.GetProperty("vocab"));
        var added = ReadAddedTokens(root);
        var merges = ReadMerges(model.GetProperty("merges"), vocabulary);
        foreach (var (text, id) in vocabulary) { ids[text] = id; }
        foreach (var token in added.Values) { ids[token.Text] = token.Id; }

        var byteIds = new int[256];
        for (var value = 0; value < 256; value++)
        {
            byteIds[value] = vocabulary.GetValueOrDefault(ByteAlphabet.ToChar((byte)value).ToString(), -1);
        }
        var wholeWords = Flag(model, "ignore_merges") ? vocabulary : null;
        var (prefix, suffix) = PostProcessorReader.Read(Optional(root, "post_processor"), ids);
        var bos = TokenName(config, "bos_token");
        if (prefix.Count == 0 && config?["add_bos_token"]?.GetValue<bool>() == true && bos is not null && ids.TryGetValue(bos, out var bosId))
        {
            prefix = [bosId];
        }
        return new TokenizerParts
        {
            TokenBytes = Spell(vocabulary, added),
            Ids = ids,
            Added = added,
            Model = new BytePairModel(byteIds, merges, wholeWords),
            PreTokenizer = PreTokenizerReader.Read(Optional(root, "pre_tokenizer")),
            Normalize = NormalizerReader.Read(Optional(root, "normalizer")),
            Prefix = prefix,
            Suffix = suffix,
            Bos = bos,
            Eos = TokenName(config, "eos_token"),
            ChatTemplate = ChatTemplateText(config),
            Config = config,
        };
    }

    private static void CheckModel(JsonElement model)
    {
        var type = Optional(model, "type")?.GetString() ?? "BPE";
        if (type != "BPE") { throw Unsupported("model.type", type, "byte-level BPE (\"BPE\")"); }
        if (Flag(model, "byte_fallback")) { throw Unsupported("model.byte_fallback", "true", "byte-level BPE"); }
        if (Optional(model, "dropout") is { } dropout && dropout.GetDouble() != 0)
        {
            throw Unsupported("model.dropout", dropout.ToString(), "none (it makes encoding random)");
        }
        foreach (var key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (Optional(model, key)?.GetString() is { Length: > 0 } affix) { throw Unsupported($"model.{key}", affix, "none"); }
        }
    }

    private static Dictionary<string, int> ReadVocabulary(JsonElement vocab)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var taken = new HashSet<int>();
        foreach (var entry in vocab.EnumerateObject())
        {
            var id = entry.Value.GetInt32();
            CheckToken(entry.Name, id, "model.vocab");
            if (!vocabulary.TryAdd(entry.Name, id) || !taken.Add(id))
            {
                throw new TokenizerException($"tokenizer.json: model.vocab has token \"{entry.Name}\" or id {id} twice.");
            }
        }
        return vocabulary.Count > 0 ? vocabulary : throw new TokenizerException("tokenizer.json: model.vocab is empty.");
    }

    private static Dictionary<(int, int), (int, int)> ReadMerges(JsonElement list, Dictionary<string, int> vocabulary)
    {
        if (list.GetArrayLength() > MaxMerges)
        {
            throw new TokenizerException($"tokenizer.json: model.merges has {list.GetArrayLength()} entries, more than {MaxMerges}.");
        }
        var merges = new Dictionary<(int, int), (int, int)>(list.GetArrayLength());
        var rank = 0;
        foreach (var entry in list.EnumerateArray())
        {
            var (left, right) = ReadMerge(entry, rank);
            if (!vocabulary.TryGetValue(left, out var leftId) || !vocabulary.TryGetValue(right, out var rightId) ||
                !vocabulary.TryGetValue(left + right, out var merged))
            {
                throw new TokenizerException(
                    $"tokenizer.json: model.merges[{rank}] joins \"{left}\" and \"{right}\", but model.vocab lacks one of them or the result.");
            }
            merges.TryAdd((leftId, rightId), (rank, merged)); // the first, lower rank counts
            rank++;
        }
        return merges;
    }

    /// <summary>Old files write "a b", new ones ["a", "b"].</summary>
    private static (string Left, string Right) ReadMerge(JsonElement entry, int rank)
    {
        if (entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 2)
        {
            return (entry[0].GetString() ?? "", entry[1].GetString() ?? "");
        }
        var parts = entry.ValueKind == JsonValueKind.String ? entry.GetString()!.Split(' ') : [];
        return parts.Length == 2
            ? (parts[0], parts[1])
            : throw new TokenizerException($"tokenizer.json: model.merges[{rank}] is neither \"left right\" nor [\"left\", \"right\"].");
    }

    private static Dictionary<int, AddedToken> ReadAddedTokens(JsonElement root)
    {
        var added = new Dictionary<int, AddedToken>();
        if (Optional(root, "added_tokens") is not { } list) { return added; }
        if (list.GetArrayLength() > MaxAddedTokens)
        {
            throw new TokenizerException($"tokenizer.json: added_tokens has {list.GetArrayLength()} entries, more than {MaxAddedTokens}.");
        }
        foreach (var entry in list.EnumerateArray())
        {
            var (id, text) = (entry.GetProperty("id").GetInt32(), entry.GetProperty("content").GetString() ?? "");
            CheckToken(text, id, "added_tokens");
            added[id] = new AddedToken(id, text, Flag(entry, "special"), Flag(entry, "lstrip"), Flag(entry, "rstrip"),
                Flag(entry, "single_word"), Flag(entry, "normalized"));
        }
        return added;
    }

    private static void CheckToken(string text, int id, string where)
    {
        if (id is < 0 or >= MaxTokenId)
        {
            throw new TokenizerException($"tokenizer.json: {where} gives \"{text}\" the id {id}; ids must lie in 0..{MaxTokenId - 1}.");
        }
        if (text.Length is 0 or > BytePairModel.MaxWholeWordBytes)
        {
            throw new TokenizerException(
                $"tokenizer.json: the text of token {id} in {where} has {text.Length} characters; 1 to {BytePairModel.MaxWholeWordBytes} are allowed.");
        }
    }

    private static byte[][] Spell(Dictionary<string, int> vocabulary, Dictionary<int, AddedToken> added)
    {
        var largest = Math.Max(vocabulary.Values.Max(), added.Count == 0 ? 0 : added.Keys.Max());
        var spelled = new byte[largest + 1][];
        Array.Fill(spelled, []);
        foreach (var (text, id) in vocabulary) { spelled[id] = ByteAlphabet.TryToBytes(text) ?? Encoding.UTF8.GetBytes(text); }
        foreach (var token in added.Values) { spelled[token.Id] = Encoding.UTF8.GetBytes(token.Text); }
        return spelled;
    }

    /// <summary>A token is named as a string or as an object with <c>content</c>.</summary>
    private static string? TokenName(JsonObject? config, string key) => config?[key] switch
    {
        JsonValue value when value.TryGetValue(out string? text) => text,
        JsonObject named => named["content"]?.GetValue<string>(),
        _ => null,
    };

    /// <summary>One template, or a list of named ones of which "default" counts.</summary>
    private static string? ChatTemplateText(JsonObject? config) => config?["chat_template"] switch
    {
        JsonValue value when value.TryGetValue(out string? text) => text,
        JsonArray named => named.OfType<JsonObject>()
            .FirstOrDefault(t => t["name"]?.GetValue<string>() == "default")?["template"]?.GetValue<string>(),
        _ => null,
    };

    internal static JsonElement? Optional(JsonElement parent, string key) =>
        parent.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    internal static bool Flag(JsonElement parent, string key) => Optional(parent, key)?.GetBoolean() ?? false;

    internal static TokenizerException Unsupported(string key, string? value, string known) =>
        new($"tokenizer.json: {key} is \"{value}\"; Ferry knows {known}.");
}
