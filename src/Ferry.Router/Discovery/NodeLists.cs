namespace Ferry.Router.Discovery;

/// <summary>What one source found. Equal when the same nodes are known by the same facts, in any order.</summary>
internal sealed class NodeLists(IReadOnlyList<NodeSpec> prefill, IReadOnlyList<NodeSpec> decode) : IEquatable<NodeLists>
{
    public IReadOnlyList<NodeSpec> Prefill { get; } = prefill;

    public IReadOnlyList<NodeSpec> Decode { get; } = decode;

    public bool Equals(NodeLists? other) => other is not null && Prefill.ToHashSet().SetEquals(other.Prefill) && Decode.ToHashSet().SetEquals(other.Decode);

    public override bool Equals(object? obj) => Equals(obj as NodeLists);

    public override int GetHashCode() => HashCode.Combine(Prefill.Count, Decode.Count);
}
