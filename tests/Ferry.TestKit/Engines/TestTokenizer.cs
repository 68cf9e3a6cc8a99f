using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Engine.Tokenization;

namespace Ferry.TestKit.Engines;

/// <summary>A small byte-level tokenizer: 256 bytes, the given merges, and the ChatML tokens behind them.</summary>
public static class TestTokenizer
{
    public const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    public const string EndOfText = "<|endoftext|>";

    private static readonly string[] Special = [EndOfText, "<|im_start|>", "<|im_end|>"];

    public static Tokenizer Create(params string[] merges) =>
        Tokenizer.Parse(Encoding.UTF8.GetBytes(Json(merges).ToJsonString()), Encoding.UTF8.GetBytes(Config().ToJsonString()));

    /// <summary>Writes the tokenizer's files beside a model.</summary>
    public static void Write(string directory, params string[] merges)
    {
        File.WriteAllText(Path.Combine(directory, "tokenizer.json"), Json(merges).ToJsonString());
        File.WriteAllText(Path.Combine(directory, "tokenizer_config.json"), Config().ToJsonString());
    }

    /// <summary>tokenizer.json as an object, for tests that damage it.</summary>
    /// <param name="merges">Each "left right"; the result becomes a token.</param>
    public static JsonObject Json(params string[] merges)
    {
        var vocabulary = new JsonObject();
        for (var value = 0; value < 256; value++) { vocabulary[Spell((byte)value)] = value; }
        foreach (var merge in merges) { vocabulary[merge.Replace(" ", "", StringComparison.Ordinal)] = vocabulary.Count; }
        var added = new JsonArray();
        for (var i = 0; i < Special.Length; i++)
        {
            added.Add(new JsonObject { ["id"] = vocabulary.Count + i, ["content"] = Special[i], ["special"] = true, ["normalized"] = false });
        }
        return new JsonObject
        {
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = true },
            ["post_processor"] = null,
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. merges.Select(m => (JsonNode)m)]),
            },
        };
    }

    public static JsonObject Config() => new() { ["bos_token"] = null, ["eos_token"] = EndOfText, ["chat_template"] = ChatMl };

    /// <summary>The character that byte-level vocabularies spell a byte with.</summary>
    private static string Spell(byte value) => ByteAlphabet.ToChar(value).ToString();

    /// <summary>Parses after a change.</summary>
    public static Tokenizer Parse(JsonObject json, JsonObject? config = null) =>
        Tokenizer.Parse(JsonSerializer.SerializeToUtf8Bytes(json), config is null ? default : JsonSerializer.SerializeToUtf8Bytes(config));
}
