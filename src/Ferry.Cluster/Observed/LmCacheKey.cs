namespace Ferry.Cluster.Observed;

/// <summary>A key of LMCache's configuration.</summary>
/// <param name="Name">As YAML spells it; the variable is <c>LMCACHE_</c> and the upper case.</param>
/// <param name="Values">All that it may be; empty when open.</param>
/// <param name="OldNames">Aliases that are still read.</param>
internal sealed record LmCacheKey(string Name, LmCacheType Type, string[] Values, string[] OldNames)
{
    public string Variable => "LMCACHE_" + Name.ToUpperInvariant();
}
