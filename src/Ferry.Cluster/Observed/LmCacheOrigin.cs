namespace Ferry.Cluster.Observed;

/// <summary>How a setting reaches LMCache.</summary>
internal enum LmCacheOrigin
{
    /// <summary>An <c>LMCACHE_…</c> variable.</summary>
    Environment,

    /// <summary>A key of LMCache's YAML file.</summary>
    Yaml,

    /// <summary><c>lmcache.…</c> in <c>kv_connector_extra_config</c>.</summary>
    ConnectorExtra,
}
