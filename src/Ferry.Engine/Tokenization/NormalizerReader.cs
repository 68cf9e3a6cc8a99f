using System.Text.Json;

namespace Ferry.Engine.Tokenization;

/// <summary>The <c>normalizer</c> of tokenizer.json: normal form C and sequences of it (byte-level models have no other).</summary>
internal static class NormalizerReader
{
    /// <exception cref="TokenizerException">Another kind.</exception>
    public static Func<string, string> Read(JsonElement? normalizer)
    {
        if (normalizer is not { } element) { return text => text; }
        var type = element.GetProperty("type").GetString();
        switch (type)
        {
            case "NFC": return NormalFormC.Normalize;
            case "Sequence":
                // The parser's depth limit bounds the recursion.
                var steps = element.GetProperty("normalizers").EnumerateArray().Select(step => Read(step)).ToArray();
                return text => steps.Aggregate(text, (current, step) => step(current));
            default: throw TokenizerReader.Unsupported("normalizer.type", type, "NFC and Sequence");
        }
    }
}
