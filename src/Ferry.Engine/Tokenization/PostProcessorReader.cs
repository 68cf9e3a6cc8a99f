using System.Text.Json;

namespace Ferry.Engine.Tokenization;

/// <summary>The <c>post_processor</c> of tokenizer.json: which special tokens go before and behind a single text.</summary>
internal static class PostProcessorReader
{
    private const int MaxPieces = 64;

    /// <exception cref="TokenizerException">Another kind, or a template that names an unknown token.</exception>
    public static (IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix) Read(JsonElement? postProcessor, IReadOnlyDictionary<string, int> ids)
    {
        if (postProcessor is not { } element) { return ([], []); }
        var type = element.GetProperty("type").GetString();
        switch (type)
        {
            case "ByteLevel": return ([], []); // moves offsets only
            case "TemplateProcessing": return ReadTemplate(element, ids);
            case "Sequence":
                var (prefix, suffix) = (new List<int>(), new List<int>());
                foreach (var inner in element.GetProperty("processors").EnumerateArray())
                {
                    var (before, behind) = Read(inner, ids);
                    prefix.InsertRange(0, before);
                    suffix.AddRange(behind);
                }
                return (prefix, suffix);
            default: throw TokenizerReader.Unsupported("post_processor.type", type, "ByteLevel, TemplateProcessing and Sequence");
        }
    }

    private static (List<int> Prefix, List<int> Suffix) ReadTemplate(JsonElement element, IReadOnlyDictionary<string, int> ids)
    {
        var (prefix, suffix, seenText) = (new List<int>(), new List<int>(), false);
        var pieces = element.GetProperty("single");
        if (pieces.GetArrayLength() > MaxPieces)
        {
            throw new TokenizerException($"tokenizer.json: post_processor.single has {pieces.GetArrayLength()} pieces, more than {MaxPieces}.");
        }
        foreach (var piece in pieces.EnumerateArray())
        {
            if (piece.TryGetProperty("Sequence", out _))
            {
                seenText = true;
                continue;
            }
            var name = piece.GetProperty("SpecialToken").GetProperty("id").GetString() ?? "";
            if (!ids.TryGetValue(name, out var id))
            {
                throw new TokenizerException($"tokenizer.json: post_processor names the token \"{name}\", which is not in the vocabulary.");
            }
            (seenText ? suffix : prefix).Add(id);
        }
        return (prefix, suffix);
    }
}
