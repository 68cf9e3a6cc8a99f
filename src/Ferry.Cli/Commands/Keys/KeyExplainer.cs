using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Cli.Commands.Keys;

/// <summary>Answers "why is this a miss?": searches the algorithms, seeds and chunk sizes under which a prompt gets the hash of a key.</summary>
internal static class KeyExplainer
{
    /// <summary>What LMCache's Redis client writes behind a key.</summary>
    private static readonly string[] RedisSuffixes = ["metadata", "kv_bytes"];

    private static readonly int[] UsualChunkTokens = [256, 16, 32, 64, 128, 512, 1024];

    private static readonly string[] UsualSeeds = ["0", "1", "42", "123", "1234", "12345"];

    /// <exception cref="UsageException">Neither a key of LMCache nor a hash.</exception>
    public static KeyExplanation Explain(KeyReport report, string text)
    {
        var key = RedisSuffixes.FirstOrDefault(suffix => text.EndsWith(suffix, StringComparison.Ordinal)) is { } found ? text[..^found.Length] : text;
        var inProcess = LmCacheKey.TryParse(key);
        var daemon = inProcess is null ? LmCacheObjectKey.TryParse(key) : null;
        var hash = inProcess?.Hash ?? daemon?.Hash ?? ChunkHash.TryParse(key)
            ?? throw new UsageException($"--explain '{(text.Length <= 200 ? text : text[..200] + "…")}' is neither a key of LMCache " +
                "(model@world@worker@hash@dtype, or model@kv_rank@group@hash) nor a hash in hex.");

        if (report.Sections.SelectMany(section => section.Rows).FirstOrDefault(row => row.Key == key) is { } same)
        {
            return new KeyExplanation(true, $"A hit: this is the key of tokens {Range(same)}.", []);
        }
        List<string> differences = [.. Fields(report.Question, inProcess), .. Fields(report.Question, daemon)];
        ChunkHashWriter? writer = inProcess is not null ? ChunkHashWriter.LmCache : daemon is not null ? ChunkHashWriter.LmCacheDaemon : null;
        if (InReport(report, hash, writer) is { } asked)
        {
            return Verdict(asked, differences);
        }
        if (Search(report, hash, writer) is not { } match)
        {
            return new KeyExplanation(false, "A miss: no known algorithm, usual seed or chunk size gives this hash for any part of these tokens.",
                [.. differences, "Compare the token ids: another prompt, tokenizer, chat template or BOS token changes every hash after it.",
                    "A writer with PYTHONHASHSEED unset, or with a hash that needs Python's pickle (sha256, xxhash), makes names that nobody else can make."]);
        }
        var section = report.Sections.First(section => section.Algorithm.Writer == match.Hasher.Writer);
        if (section.Algorithm.Name != match.Hasher.Name)
        {
            differences.Add($"hash algorithm: the key has {match.Hasher.Name} ({match.Hasher.Summary}), you asked for {section.Algorithm.Name}");
        }
        if (match.Hasher.UsesSeed && match.Seed != report.Question.HashSeed)
        {
            differences.Add($"PYTHONHASHSEED: the key has {match.Seed}, you asked for {report.Question.HashSeed ?? "unset"}");
        }
        if (match.ChunkTokens != section.ChunkTokens)
        {
            differences.Add($"tokens a chunk: the key has {match.ChunkTokens}, you asked for {section.ChunkTokens}");
        }
        if (match.Hasher.Writer == ChunkHashWriter.Vllm && (report.Question.LoraName is not null || report.Question.Salt.Length > 0))
        {
            differences.Add("extra keys: the hash has neither LoRA nor cache_salt, you asked for one with them");
        }
        return Verdict(match.Row, differences);
    }

    private static KeyExplanation Verdict(KeyRow row, List<string> differences) => differences.Count == 0
        ? new KeyExplanation(true, $"A hit: this is the hash of tokens {Range(row)}.", [])
        : new KeyExplanation(false, $"A miss: this names tokens {Range(row)} of the prompt, but as another deployment writes it.", differences);

    private static KeyRow? InReport(KeyReport report, ChunkHash hash, ChunkHashWriter? writer) => report.Sections
        .Where(section => writer is null || section.Algorithm.Writer == writer)
        .SelectMany(section => section.Rows)
        .FirstOrDefault(row => row.Hash == hash);

    /// <summary>The first way, nearest to the question, in which the prompt gets this hash.</summary>
    private static (ChunkHashAlgorithm Hasher, string? Seed, int ChunkTokens, KeyRow Row)? Search(KeyReport report, ChunkHash hash, ChunkHashWriter? writer)
    {
        var question = report.Question;
        var asked = report.Sections.Select(section => section.Algorithm.Name).ToHashSet();
        var algorithms = ChunkHasher.Algorithms
            .Where(algorithm => writer is null || algorithm.Writer == writer)
            .OrderByDescending(algorithm => asked.Contains(algorithm.Name));
        var hashes = new List<ChunkHash>();
        foreach (var algorithm in algorithms)
        {
            int[] sizes = [.. UsualChunkTokens.Prepend(algorithm.Writer == ChunkHashWriter.Vllm ? question.BlockTokens : question.ChunkTokens).Distinct()];
            string?[] seeds = algorithm.UsesSeed ? [.. UsualSeeds.Prepend(question.HashSeed ?? UsualSeeds[0]).Distinct()] : [null];
            foreach (var (seed, chunkTokens) in seeds.SelectMany(seed => sizes.Select(size => (seed, size))))
            {
                if (algorithm.Name.Contains("builtin", StringComparison.Ordinal) && seed == "random")
                {
                    continue;   // has no root
                }
                hashes.Clear();
                var hasher = ChunkHasher.Create(algorithm.Name, seed);
                if (hasher.Root.ByteCount != hash.ByteCount)
                {
                    continue;
                }
                hasher.HashChunks(question.Tokens, chunkTokens, includeUnfull: algorithm.Writer != ChunkHashWriter.Vllm, hashes);
                var index = hashes.IndexOf(hash);
                if (index >= 0)
                {
                    var first = index * chunkTokens;
                    return (algorithm, seed, chunkTokens, new KeyRow(first, Math.Min(chunkTokens, question.Tokens.Length - first), hash, null));
                }
            }
        }
        return null;
    }

    private static IEnumerable<string> Fields(KeyQuestion question, LmCacheKey? key)
    {
        if (key is null) { yield break; }
        if (key.Format is not null) { yield return $"LMCache generation: the key starts with '{key.Format}@', as LMCache of 2025 wrote"; }
        if (key.Model != question.Model) { yield return Differs("model", key.Model, question.Model); }
        if (key.WorldSize != question.WorldSize) { yield return Differs("world size", key.WorldSize, question.WorldSize); }
        if (key.WorkerId != question.Worker) { yield return Differs("worker", key.WorkerId, question.Worker); }
        if (key.DType is not null && key.DType != question.DType) { yield return Differs("dtype", key.DType, question.DType); }
        if (key.Layer is { } layer) { yield return $"the key is of layer {layer} alone: its writer has use_layerwise on"; }
        if (key.Tags.Count > 0) { yield return $"the key has the tags {string.Join(", ", key.Tags)}: its request sent lmcache.tag.* parameters"; }
    }

    private static IEnumerable<string> Fields(KeyQuestion question, LmCacheObjectKey? key)
    {
        if (key is null) { yield break; }
        var rank = new KvRank(question.WorldSize, question.Worker);
        if (key.Model != question.Model) { yield return Differs("model", key.Model, question.Model); }
        if (key.Rank.WorldSize != rank.WorldSize) { yield return Differs("world size", key.Rank.WorldSize, rank.WorldSize); }
        if (key.Rank.GlobalRank != rank.GlobalRank) { yield return Differs("worker", key.Rank.GlobalRank, rank.GlobalRank); }
        if (key.Rank.LocalWorldSize != key.Rank.WorldSize || key.Rank.LocalRank != key.Rank.GlobalRank)
        {
            yield return $"local rank: the key has {key.Rank.LocalRank} of {key.Rank.LocalWorldSize}, LMCache writes the global ones there";
        }
        if (key.Group is null) { yield return "LMCache generation: the key has no object group, as LMCache of 2026-04 wrote"; }
        if (key.Group is > 0 and { } group) { yield return $"object group: the key has {group:x}, the usual one is 0"; }
        if (key.Salt != question.Salt) { yield return Differs("cache_salt", key.Salt.Length == 0 ? "none" : key.Salt, question.Salt.Length == 0 ? "none" : question.Salt); }
    }

    private static string Differs(string name, object key, object asked) => $"{name}: the key has {key}, you asked for {asked}";

    private static string Range(KeyRow row) => $"{row.FirstToken}..{row.FirstToken + row.TokenCount - 1}";
}
