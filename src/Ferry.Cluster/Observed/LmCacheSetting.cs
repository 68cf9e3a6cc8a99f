using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>One setting of LMCache.</summary>
/// <param name="Key">As LMCache's YAML spells it today: <c>chunk_size</c>; an old name that is still read is replaced by its new one.</param>
/// <param name="Name">The name as written: <c>LMCACHE_CHUNK_SIZE</c>, <c>chunk_size</c>, <c>lmcache.chunk_size</c>.</param>
/// <param name="Value">Lists and maps as written.</param>
/// <param name="Span">Name and value.</param>
internal sealed record LmCacheSetting(string Key, SourcedText Name, SourcedText Value, SourceSpan Span, LmCacheOrigin Origin);
