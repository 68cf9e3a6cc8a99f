using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>LMCache: no parameters at all. Both nodes hash the prompt and meet in the cache, so chunk size, hash algorithm and PYTHONHASHSEED must agree.</summary>
internal sealed class LmCacheProfile : IConnectorProfile
{
    public string Name => "lmcache";

    public ReadOnlyMemory<byte> Wish => default;

    public bool NeedsParams => false;

    public string? WhyUnusable(JsonBody parameters, NodeVersion? prefillVersion) => null;
}
