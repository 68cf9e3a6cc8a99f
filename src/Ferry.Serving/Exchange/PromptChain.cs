using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.Serving.Exchange;

/// <summary>The keys of one prompt's chunks, hashed once and in order. Not thread-safe.</summary>
internal sealed class PromptChain(ChunkHasher hasher, int chunkTokens, UInt128 model, string salt)
{
    private readonly List<ChunkHash> _fullChunks = [];

    public string Salt { get; } = RecordSalt(salt);

    /// <summary>Keys of the full chunks hashed so far, first chunk first.</summary>
    public IEnumerable<KvKey> FullChunks => _fullChunks.Select(hash => new KvKey(Salt, model, hash));

    /// <summary>Key of the chunk of <paramref name="tokenCount"/> tokens at <paramref name="firstToken"/>.</summary>
    /// <param name="prompt">Tokens from 0 at least to the chunk's end; the same at every call.</param>
    public KvKey KeyOf(ReadOnlySpan<int> prompt, int firstToken, int tokenCount)
    {
        var index = firstToken / chunkTokens;
        while (_fullChunks.Count < index || (_fullChunks.Count == index && tokenCount == chunkTokens))
        {
            _fullChunks.Add(hasher.Next(ParentOf(_fullChunks.Count), prompt.Slice(_fullChunks.Count * chunkTokens, chunkTokens)));
        }
        var hash = tokenCount == chunkTokens ? _fullChunks[index] : hasher.Next(ParentOf(index), prompt.Slice(firstToken, tokenCount));
        return new KvKey(Salt, model, hash);
    }

    /// <summary>Hash of the full chunk before the one at <paramref name="firstToken"/>, which <see cref="KeyOf"/> has named; null for the prompt's first.</summary>
    public ChunkHash? BeforeOrNull(int firstToken) => firstToken < chunkTokens ? null : _fullChunks[(firstToken / chunkTokens) - 1];

    /// <summary>A salt that a record header has room for: itself, or its digest.</summary>
    internal static string RecordSalt(string salt)
    {
        if (salt.Length <= KvRecord.MaxSaltBytes && Encoding.UTF8.GetByteCount(salt) <= KvRecord.MaxSaltBytes && IsWellFormed(salt))
        {
            return salt;
        }
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(salt.AsSpan())));
    }

    /// <summary>False for an unpaired surrogate, which has no UTF-8 form that reads back.</summary>
    private static bool IsWellFormed(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
            {
                index++;
            }
            else if (char.IsSurrogate(text[index]))
            {
                return false;
            }
        }
        return true;
    }

    private ChunkHash ParentOf(int index) => index == 0 ? hasher.Root : _fullChunks[index - 1];
}
