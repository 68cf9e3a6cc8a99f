using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ferry.Engine.Tokenization;

/// <summary>The <c>pre_tokenizer</c> of tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private const int MaxSteps = 16;
    private const int MaxPatternCharacters = 4096;

    /// <exception cref="TokenizerException">Another kind, or one that is not byte-level.</exception>
    public static PreTokenizer Read(JsonElement? preTokenizer)
    {
        var steps = new List<PreTokenizer.Step>();
        var (byteLevel, prefixSpace) = (false, false);
        foreach (var element in Flatten(preTokenizer))
        {
            if (byteLevel)
            {
                throw new TokenizerException("tokenizer.json: pre_tokenizer has a step behind ByteLevel; Ferry knows ByteLevel as the last one only.");
            }
            var type = element.GetProperty("type").GetString();
            switch (type)
            {
                case "Split":
                    steps.Add(ReadSplit(element));
                    break;
                case "Digits":
                    steps.Add(PreTokenizer.Digits(TokenizerReader.Flag(element, "individual_digits")));
                    break;
                case "ByteLevel":
                    byteLevel = true;
                    prefixSpace = TokenizerReader.Flag(element, "add_prefix_space");
                    // Absent means true: the reference's default.
                    if (TokenizerReader.Optional(element, "use_regex")?.GetBoolean() ?? true)
                    {
                        steps.Add(PreTokenizer.SplitBy(KnownPatterns.Gpt2, matchesOnly: false));
                    }
                    break;
                default:
                    throw TokenizerReader.Unsupported("pre_tokenizer.type", type, "Split, Digits, ByteLevel and Sequence");
            }
            if (steps.Count > MaxSteps) { throw new TokenizerException($"tokenizer.json: pre_tokenizer has more than {MaxSteps} steps."); }
        }
        return byteLevel
            ? new PreTokenizer(steps, prefixSpace)
            : throw new TokenizerException("tokenizer.json: pre_tokenizer has no ByteLevel step; Ferry knows byte-level BPE only.");
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement? element) => element switch
    {
        null => [],
        { } one when one.GetProperty("type").GetString() == "Sequence" =>
            one.GetProperty("pretokenizers").EnumerateArray().SelectMany(inner => Flatten(inner)),
        { } one => [one],
    };

    private static PreTokenizer.Step ReadSplit(JsonElement split)
    {
        var pattern = split.GetProperty("pattern");
        var text = pattern.TryGetProperty("Regex", out var regex) ? regex.GetString() ?? "" : Regex.Escape(pattern.GetProperty("String").GetString() ?? "");
        if (text.Length is 0 or > MaxPatternCharacters)
        {
            throw new TokenizerException($"tokenizer.json: a Split pattern has {text.Length} characters; 1 to {MaxPatternCharacters} are allowed.");
        }
        var (behavior, invert) = (split.GetProperty("behavior").GetString(), TokenizerReader.Flag(split, "invert"));
        // "Isolated" keeps matches and gaps, whichever of them is called the delimiter; "Removed" with invert keeps the matches.
        var matchesOnly = behavior switch
        {
            "Isolated" => false,
            "Removed" when invert => true,
            _ => throw TokenizerReader.Unsupported("pre_tokenizer Split behavior", $"{behavior}, invert {invert}", "Isolated, and Removed with invert"),
        };
        try
        {
            return PreTokenizer.SplitBy(text, matchesOnly);
        }
        catch (ArgumentException error)
        {
            throw new TokenizerException($"tokenizer.json: the Split pattern \"{text}\" is not understood: {error.Message}", error);
        }
    }
}
