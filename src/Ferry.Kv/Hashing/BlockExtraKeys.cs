using System.Security.Cryptography;
using System.Text;

namespace Ferry.Kv.Hashing;

/// <summary>What vLLM puts into block hashes besides tokens, for one request, so that unlike requests never share a block.</summary>
/// <remarks>In a block the order is LoRA, multimodal items, salt, embeddings; a block that none concerns hashes <c>None</c>.</remarks>
public sealed record BlockExtraKeys
{
    public static BlockExtraKeys None { get; } = new();

    /// <summary>Name of the LoRA adapter: in every block.</summary>
    public string? LoraName { get; init; }

    /// <summary>The request's <c>cache_salt</c>: in the first block only, and by the chain in all.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>In order of offset; each stands in every block that it touches.</summary>
    public IReadOnlyList<MultimodalItem> MultimodalItems { get; init; } = [];

    /// <summary>Rows of prompt embeddings as they lie in memory, or empty; a block carries the SHA-256 of its rows.</summary>
    public ReadOnlyMemory<byte> PromptEmbeddings { get; init; }

    /// <summary>Bytes of one token's embedding; required if there are embeddings.</summary>
    public int EmbeddingBytesPerToken { get; init; }

    /// <summary>Most bytes that <see cref="Write"/> needs, whatever the block.</summary>
    internal int MaxBytes
    {
        get
        {
            var bytes = Cbor.HeadBytes + TextBytes(LoraName) + TextBytes(CacheSalt) + Cbor.HeadBytes + SHA256.HashSizeInBytes;
            foreach (var item in MultimodalItems)
            {
                bytes = checked(bytes + 2 * Cbor.HeadBytes + TextBytes(item.Identifier));
            }
            return bytes;
        }
    }

    /// <summary>Writes the extra keys of the block of tokens <paramref name="start"/> to <paramref name="end"/>, exclusive.</summary>
    internal int Write(Span<byte> destination, int start, int end)
    {
        var hasEmbeddings = !PromptEmbeddings.IsEmpty;
        var hasSalt = start == 0 && !string.IsNullOrEmpty(CacheSalt);
        var count = (string.IsNullOrEmpty(LoraName) ? 0 : 1) + (hasSalt ? 1 : 0) + (hasEmbeddings ? 1 : 0);
        foreach (var item in MultimodalItems)
        {
            count += Touches(item, start, end) ? 1 : 0;
        }
        if (count == 0)
        {
            destination[0] = Cbor.Null;
            return 1;
        }

        var at = Cbor.WriteArrayHead(destination, count);
        if (!string.IsNullOrEmpty(LoraName))
        {
            at += Cbor.WriteText(destination[at..], LoraName);
        }
        foreach (var item in MultimodalItems)
        {
            if (Touches(item, start, end))
            {
                at += Cbor.WriteArrayHead(destination[at..], 2);
                at += Cbor.WriteText(destination[at..], item.Identifier);
                at += Cbor.WriteInteger(destination[at..], (long)item.Offset - start);   // negative where the item began in an earlier block
            }
        }
        if (hasSalt)
        {
            at += Cbor.WriteText(destination[at..], CacheSalt!);
        }
        if (hasEmbeddings)
        {
            Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(Rows(start, end), digest);
            at += Cbor.WriteBytes(destination[at..], digest);
        }
        return at;
    }

    private static bool Touches(in MultimodalItem item, int start, int end) =>
        item.Offset < end && (long)item.Offset + item.Length > start;

    private static int TextBytes(string? text) => text is null ? 0 : checked(Cbor.HeadBytes + Encoding.UTF8.GetByteCount(text));

    private ReadOnlySpan<byte> Rows(int start, int end)
    {
        var first = (long)start * EmbeddingBytesPerToken;
        var last = (long)end * EmbeddingBytesPerToken;
        return EmbeddingBytesPerToken > 0 && last <= PromptEmbeddings.Length
            ? PromptEmbeddings.Span[(int)first..(int)last]
            : throw new ArgumentException($"Prompt embeddings have {PromptEmbeddings.Length} bytes at {EmbeddingBytesPerToken} a token; " +
                $"the block of tokens {start} to {end} needs {last}.");
    }
}
