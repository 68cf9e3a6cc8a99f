namespace Ferry.Kv.Hashing;

/// <summary>Names chunks (or vLLM's blocks) by a hash chained over all tokens before them, as one peer or another does.</summary>
/// <remarks>
/// Two processes share KV only if algorithm, form, seed and chunk size agree; <see cref="Algorithm"/> and <see cref="Root"/> tell.
/// Instances are immutable: any thread may hash. Shapes and names: docs/wire/keys.md.
/// </remarks>
public abstract class ChunkHasher
{
    /// <summary>LMCache's portable form, as recorded from LMCache of 2026-04.</summary>
    public const string DefaultAlgorithm = "sha256_cbor";

    /// <summary>The seed that guides for vLLM and LMCache set; Ferry's own nodes use it, so that they agree without being told.</summary>
    public const string DefaultHashSeed = "0";

    /// <summary>Every algorithm that <see cref="Create"/> can make.</summary>
    public static IReadOnlyList<ChunkHashAlgorithm> Algorithms => ChunkHashAlgorithms.All;

    private protected ChunkHasher()
    {
    }

    /// <summary>The name under which <see cref="Create"/> makes this hasher.</summary>
    public abstract string Algorithm { get; }

    /// <summary>The parent of a first chunk: NONE_HASH in the words of vLLM and LMCache.</summary>
    public abstract ChunkHash Root { get; }

    /// <summary>Hash of the chunk <paramref name="tokens"/> that follows <paramref name="parent"/>; any number of tokens, none included.</summary>
    public abstract ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens);

    /// <summary>The same for token ids beyond 31 bits, which peers accept.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id that the algorithm cannot hash (blake3 takes 32 bits).</exception>
    public abstract ChunkHash Next(in ChunkHash parent, ReadOnlySpan<long> tokens);

    /// <summary>Appends the hash of every chunk of a prompt, first chunk first.</summary>
    /// <param name="tokens">The prompt from its start.</param>
    /// <param name="chunkTokens">Tokens of a full chunk, at least 1.</param>
    /// <param name="includeUnfull">Whether a shorter last chunk gets a hash too.</param>
    /// <param name="result">The caller's list; what it holds already stays.</param>
    /// <returns>Hashes appended.</returns>
    public int HashChunks(ReadOnlySpan<int> tokens, int chunkTokens, bool includeUnfull, List<ChunkHash> result)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkTokens, 1);
        ArgumentNullException.ThrowIfNull(result);
        var hash = Root;
        var count = 0;
        while (tokens.Length >= chunkTokens || (includeUnfull && tokens.Length > 0))
        {
            var chunk = tokens[..Math.Min(chunkTokens, tokens.Length)];
            hash = Next(hash, chunk);
            result.Add(hash);
            count++;
            tokens = tokens[chunk.Length..];
        }
        return count;
    }

    /// <summary>Makes the hasher that <paramref name="algorithm"/> names.</summary>
    /// <param name="hashSeed">PYTHONHASHSEED of the peers; null if it is unset there.</param>
    /// <exception cref="ChunkHashException">Unknown, not reproducible outside Python, or a seed that gives no root.</exception>
    public static ChunkHasher Create(string algorithm, string? hashSeed = DefaultHashSeed)
    {
        ArgumentNullException.ThrowIfNull(algorithm);
        return ChunkHashAlgorithms.Create(algorithm, hashSeed);
    }
}
