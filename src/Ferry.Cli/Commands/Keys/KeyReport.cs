using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Cli.Commands.Keys;

/// <summary>The names of one prompt's KV by all three writers.</summary>
internal sealed record KeyReport(KeyQuestion Question, KeySection LmCache, KeySection LmCacheDaemon, KeySection Vllm)
{
    public IEnumerable<KeySection> Sections => [LmCache, LmCacheDaemon, Vllm];

    /// <exception cref="ArgumentException">An algorithm that is unknown or that only Python can compute, no seed, or a model that no key can hold.</exception>
    public static KeyReport Build(KeyQuestion question)
    {
        if (question.HashSeed is not null)
        {
            ChunkHasher.Create(ChunkHasher.DefaultAlgorithm, question.HashSeed);   // a text that is no seed is wrong for every writer
        }
        var (lmCache, daemon, vllm) = Algorithms(question);
        return new KeyReport(question,
            Section(question, lmCache, question.ChunkTokens, includeUnfull: true, hash =>
                new LmCacheKey(question.Model, question.WorldSize, question.Worker, hash, question.DType).ToString()),
            Section(question, daemon, question.ChunkTokens, includeUnfull: false, hash =>
                new LmCacheObjectKey(question.Model, new KvRank(question.WorldSize, question.Worker), 0, hash, question.Salt).ToString()),
            Section(question, vllm, question.BlockTokens, includeUnfull: false, key: null));
    }

    /// <summary>The algorithm asked for, and for the other two writers the one that the same setting gives there.</summary>
    private static (string LmCache, string Daemon, string Vllm) Algorithms(KeyQuestion question)
    {
        if (question.Algorithm is null)
        {
            return ("sha256_cbor", "blake3", "vllm-sha256_cbor");
        }
        var name = ChunkHasher.Create(question.Algorithm, question.HashSeed).Algorithm;
        var hash = name.Contains("xxhash", StringComparison.Ordinal) ? "xxhash_cbor"
            : name.Contains("builtin+vllm", StringComparison.Ordinal) ? "builtin+vllm"
            : name.Contains("builtin", StringComparison.Ordinal) ? "builtin" : "sha256_cbor";
        var daemon = name == "blake3" || hash == "xxhash_cbor" ? "blake3" : "mp-" + hash;
        var vllm = hash == "xxhash_cbor" ? "vllm-xxhash_cbor" : "vllm-sha256_cbor";
        return Find(name).Writer == ChunkHashWriter.LmCache ? (name, daemon, vllm) : (hash, daemon, vllm);
    }

    private static ChunkHashAlgorithm Find(string name) => ChunkHasher.Algorithms.Single(algorithm => algorithm.Name == name);

    private static KeySection Section(KeyQuestion question, string algorithm, int chunkTokens, bool includeUnfull, Func<ChunkHash, string>? key)
    {
        ChunkHasher hasher;
        try
        {
            hasher = ChunkHasher.Create(algorithm, question.HashSeed);
        }
        catch (ChunkHashException exception)   // one writer without a root leaves the others worth showing
        {
            return new KeySection(Find(algorithm), chunkTokens, null, [], 0, exception.Message);
        }
        var hashes = new List<ChunkHash>();
        if (hasher is VllmBlockHasher blocks)
        {
            blocks.HashBlocks(question.Tokens, chunkTokens, ExtraKeys(question), hashes);
        }
        else
        {
            hasher.HashChunks(question.Tokens, chunkTokens, includeUnfull, hashes);
        }
        var rows = hashes.Select((hash, index) => new KeyRow(
            index * chunkTokens, Math.Min(chunkTokens, question.Tokens.Length - index * chunkTokens), hash, key?.Invoke(hash)));
        var unnamed = includeUnfull ? 0 : question.Tokens.Length % chunkTokens;
        return new KeySection(Find(algorithm), chunkTokens, hasher.Root, [.. rows], unnamed, null);
    }

    private static BlockExtraKeys ExtraKeys(KeyQuestion question) => question.Salt.Length == 0 && question.LoraName is null
        ? BlockExtraKeys.None
        : new BlockExtraKeys { LoraName = question.LoraName, CacheSalt = question.Salt };
}
