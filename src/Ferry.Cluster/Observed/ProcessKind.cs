namespace Ferry.Cluster.Observed;

/// <summary>What would run.</summary>
internal enum ProcessKind
{
    /// <summary>Nothing that the rules know; also a file of settings alone (<c>.env</c>, LMCache YAML) that no process was given with.</summary>
    Unknown,

    /// <summary><c>vllm serve</c> or the API server module.</summary>
    VllmServe,

    /// <summary><c>lmcache server</c> (the daemon of LMCache's MP mode) or <c>lmcache_server</c> (lm://).</summary>
    LmCacheServer,

    FerryServe,
    FerryCache,
    FerryRoute,

    /// <summary>Another router or proxy in front of engines.</summary>
    Router,

    /// <summary>Redis or Valkey.</summary>
    Redis,
}
