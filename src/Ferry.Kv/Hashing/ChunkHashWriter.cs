namespace Ferry.Kv.Hashing;

/// <summary>Who names KV by a hash: each has a key grammar and a habit for the last, unfull chunk.</summary>
public enum ChunkHashWriter
{
    /// <summary>LMCache inside the engine's process: <see cref="Keys.LmCacheKey"/>.</summary>
    LmCache,

    /// <summary>LMCache's daemon ("MP mode"): <see cref="Keys.LmCacheObjectKey"/>, full chunks only.</summary>
    LmCacheDaemon,

    /// <summary>vLLM's prefix cache and its KV events: full blocks only, no key string.</summary>
    Vllm,
}
