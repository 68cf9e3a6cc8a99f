using System.Text.Json.Nodes;
using Ferry.Engine.Tokenization;

namespace Ferry.TestKit.Serving;

/// <summary>A tokenizer without merges: one token a byte, and the special tokens of ChatML.</summary>
public static class ByteTokenizer
{
    public const int ImStart = 256;
    public const int ImEnd = 257;
    public const int EndOfText = 258;
    public const int VocabularySize = 259;

    private static readonly string[] Specials = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"];

    private const string ChatTemplateText =
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    public static Tokenizer Create() => Tokenizer.Parse(System.Text.Encoding.UTF8.GetBytes(Json().ToJsonString()), System.Text.Encoding.UTF8.GetBytes(ConfigJson().ToJsonString()));

    private static JsonObject Json()
    {
        var vocabulary = new JsonObject();
        for (var value = 0; value < 256; value++)
        {
            vocabulary[Letter(value).ToString()] = value;
        }
        var added = new JsonArray();
        for (var index = 0; index < Specials.Length; index++)
        {
            vocabulary[Specials[index]] = 256 + index;
            added.Add(new JsonObject
            {
                ["id"] = 256 + index,
                ["content"] = Specials[index],
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            });
        }
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
    }

    private static JsonObject ConfigJson() => new()
    {
        ["eos_token"] = "<|im_end|>",
        ["chat_template"] = ChatTemplateText,
    };

    /// <summary>GPT-2's alphabet: printable bytes stand for themselves, the others for letters from U+0100 on.</summary>
    private static char Letter(int value)
    {
        static bool IsPrintable(int one) => one is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
        if (IsPrintable(value))
        {
            return (char)value;
        }
        var before = Enumerable.Range(0, value).Count(one => !IsPrintable(one));
        return (char)(256 + before);
    }
}
