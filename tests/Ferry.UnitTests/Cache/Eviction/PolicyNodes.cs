using Ferry.Cache.Eviction;

namespace Ferry.UnitTests.Cache.Eviction;

/// <summary>Nodes of one byte each, for a policy alone.</summary>
internal sealed class PolicyNodes(int count) : IEvictionNodes
{
    private readonly EvictionLink[] _links = new EvictionLink[count];

    public ref EvictionLink LinkOf(int node) => ref _links[node];

    public long BytesOf(int node) => 1;

    public ulong FingerprintOf(int node) => (ulong)node + 1;
}
