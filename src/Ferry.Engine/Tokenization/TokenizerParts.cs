using System.Text.Json.Nodes;

namespace Ferry.Engine.Tokenization;

/// <summary>What the files say, checked and ready to run.</summary>
internal sealed class TokenizerParts
{
    /// <summary>Bytes of each token by id; empty where an id is not used.</summary>
    public required byte[][] TokenBytes { get; init; }

    /// <summary>Ids by spelling, vocabulary and added tokens.</summary>
    public required IReadOnlyDictionary<string, int> Ids { get; init; }

    /// <summary>By id.</summary>
    public required IReadOnlyDictionary<int, AddedToken> Added { get; init; }

    public required BytePairModel Model { get; init; }

    public required PreTokenizer PreTokenizer { get; init; }

    public required Func<string, string> Normalize { get; init; }

    /// <summary>Tokens put before the text (bos).</summary>
    public required IReadOnlyList<int> Prefix { get; init; }

    /// <summary>Tokens put behind the text.</summary>
    public required IReadOnlyList<int> Suffix { get; init; }

    public string? Bos { get; init; }

    public string? Eos { get; init; }

    public string? ChatTemplate { get; init; }

    public JsonObject? Config { get; init; }
}
