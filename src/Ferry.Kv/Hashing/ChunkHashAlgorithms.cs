using Ferry.Kv.Text;

namespace Ferry.Kv.Hashing;

/// <summary>Every algorithm that can be made, the other names they go by, and those that only Python can compute.</summary>
internal static class ChunkHashAlgorithms
{
    /// <summary>How much of an unknown name an error repeats.</summary>
    private const int MaxShownCharacters = 64;

    private const string PairSuffix = "@2tuple";
    private const string NullSuffix = "@3tuple-null";

    private static readonly IReadOnlyList<Entry> Entries =
    [
        Cbor<Sha256Digest>("sha256_cbor", "SHA-256 of CBOR [parent, [tokens], []]: LMCache of 2026-04, and Ferry's own", ChainForm.EmptyTuple),
        Cbor<Sha256Digest>("sha256_cbor" + PairSuffix, "SHA-256 of CBOR [parent, [tokens]]: LMCache with the two-element chain of 2026-02", ChainForm.Pair),
        Cbor<Sha256Digest>("sha256_cbor" + NullSuffix, "SHA-256 of CBOR [parent, [tokens], null]: LMCache until 0.3.13", ChainForm.Null),
        Cbor<Xxh3Digest>("xxhash_cbor", "XXH3-128 of CBOR [parent, [tokens], []]", ChainForm.EmptyTuple),
        Cbor<Xxh3Digest>("xxhash_cbor" + PairSuffix, "XXH3-128 of CBOR [parent, [tokens]]", ChainForm.Pair),
        Cbor<Xxh3Digest>("xxhash_cbor" + NullSuffix, "XXH3-128 of CBOR [parent, [tokens], null]", ChainForm.Null),
        Unseeded("builtin", "Python hash((parent, tokens, ())), vLLM not importable: starts from 0", ChainForm.EmptyTuple),
        Unseeded("builtin" + PairSuffix, "Python hash((parent, tokens)), vLLM not importable", ChainForm.Pair),
        Unseeded("builtin" + NullSuffix, "Python hash((parent, tokens, None)), CPython 3.12 or later, vLLM not importable", ChainForm.Null),
        Seeded("builtin+vllm", "Python hash((parent, tokens, ())), vLLM importable: starts from hash(str(seed))", ChainForm.EmptyTuple),
        Seeded("builtin+vllm" + PairSuffix, "Python hash((parent, tokens)), vLLM importable", ChainForm.Pair),
        Seeded("builtin+vllm" + NullSuffix, "Python hash((parent, tokens, None)), CPython 3.12 or later, vLLM importable", ChainForm.Null),
        new(new("blake3", ChunkHashWriter.LmCacheDaemon, UsesSeed: false, "BLAKE3 of parent and big-endian u32 tokens: the daemon's default"),
            static (_, _) => new Blake3ChunkHasher()),
        Cbor<Sha256Digest>("mp-sha256_cbor", "SHA-256 of CBOR [parent, [tokens], null]", ChainForm.Null, ChunkHashWriter.LmCacheDaemon),
        new(new("mp-builtin", ChunkHashWriter.LmCacheDaemon, UsesSeed: false,
                "Python hash((parent, tokens, None)), CPython 3.12 or later, vLLM not importable: starts from hash((0, (0,), None))"),
            static (name, _) => new BuiltinChunkHasher(name, ChainForm.Null, BuiltinChunkHasher.DaemonRoot())),
        Seeded("mp-builtin+vllm", "Python hash((parent, tokens, None)), CPython 3.12 or later, vLLM importable", ChainForm.Null, ChunkHashWriter.LmCacheDaemon),
        Vllm<Sha256Digest>("vllm-sha256_cbor", "SHA-256 of CBOR [parent, [tokens], extra keys or null]"),
        Vllm<Xxh3Digest>("vllm-xxhash_cbor", "XXH3-128 of CBOR [parent, [tokens], extra keys or null]"),
    ];

    private static readonly Dictionary<string, Entry> ByName = Entries.ToDictionary(entry => entry.Algorithm.Name, StringComparer.Ordinal);

    /// <summary>Names that mean the same as another.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["sha256_cbor@3tuple-empty"] = "sha256_cbor",
        ["sha256_cbor_64bit"] = "sha256_cbor",            // LMCache maps vLLM's retired name so
        ["xxhash_cbor@3tuple-empty"] = "xxhash_cbor",
        ["builtin@3tuple-empty"] = "builtin",
        ["builtin+vllm@3tuple-empty"] = "builtin+vllm",
        ["mp-blake3"] = "blake3",
    };

    /// <summary>Names whose bytes come from Python's pickle, what to set at the peer instead, and its name here.</summary>
    private static readonly Dictionary<string, (string PeerSetting, string Portable)> Refused = new(StringComparer.Ordinal)
    {
        ["sha256"] = ("pre_caching_hash_algorithm: sha256_cbor", "sha256_cbor"),
        ["xxhash"] = ("pre_caching_hash_algorithm: xxhash_cbor", "xxhash_cbor"),
        ["vllm-sha256"] = ("--prefix-caching-hash-algo sha256_cbor", "vllm-sha256_cbor"),
        ["vllm-xxhash"] = ("--prefix-caching-hash-algo xxhash_cbor", "vllm-xxhash_cbor"),
    };

    public static IReadOnlyList<ChunkHashAlgorithm> All { get; } = [.. Entries.Select(entry => entry.Algorithm)];

    /// <exception cref="ChunkHashException">Unknown, only computable by Python, or a seed that gives no root.</exception>
    public static ChunkHasher Create(string name, string? hashSeed)
    {
        if (Refused.TryGetValue(name, out var refused))
        {
            throw new ChunkHashException($"{name} cannot be computed outside Python: it hashes pickle bytes, which depend on Python's " +
                $"objects and version and not on the tokens alone. Set {refused.PeerSetting} at the peer and use {refused.Portable} here.");
        }
        if (!ByName.TryGetValue(Aliases.GetValueOrDefault(name, name), out var entry))
        {
            var nearest = NearestName.Find(name, ByName.Keys.Concat(Aliases.Keys).Concat(Refused.Keys));
            throw new ChunkHashException($"Unknown hash algorithm '{(name.Length <= MaxShownCharacters ? name : name[..MaxShownCharacters] + "…")}'." +
                (nearest is null ? "" : $" Did you mean '{nearest}'?") + $" Known: {string.Join(", ", ByName.Keys)}.");
        }
        return entry.Create(entry.Algorithm.Name, hashSeed);
    }

    private static Entry Cbor<TDigest>(
        string name, string summary, ChainForm form, ChunkHashWriter writer = ChunkHashWriter.LmCache) where TDigest : struct, ICborDigest =>
        new(new(name, writer, UsesSeed: true, summary),
            (algorithm, seed) => new CborChunkHasher<TDigest>(algorithm, form, HashSeed.Require(algorithm, seed)));

    private static Entry Unseeded(string name, string summary, ChainForm form) =>
        new(new(name, ChunkHashWriter.LmCache, UsesSeed: false, summary), (algorithm, _) => new BuiltinChunkHasher(algorithm, form, root: 0));

    private static Entry Seeded(string name, string summary, ChainForm form, ChunkHashWriter writer = ChunkHashWriter.LmCache) =>
        new(new(name, writer, UsesSeed: true, summary),
            (algorithm, seed) => new BuiltinChunkHasher(algorithm, form, BuiltinChunkHasher.SeededRoot(algorithm, seed)));

    private static Entry Vllm<TDigest>(string name, string summary) where TDigest : struct, ICborDigest =>
        new(new(name, ChunkHashWriter.Vllm, UsesSeed: true, summary),
            static (algorithm, seed) => new VllmCborBlockHasher<TDigest>(algorithm, HashSeed.Require(algorithm, seed)));

    private sealed record Entry(ChunkHashAlgorithm Algorithm, Func<string, string?, ChunkHasher> Create);
}
