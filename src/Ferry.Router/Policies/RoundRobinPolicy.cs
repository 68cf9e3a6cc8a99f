namespace Ferry.Router.Policies;

/// <summary>Every node in turn.</summary>
internal sealed class RoundRobinPolicy : INodePolicy
{
    private uint _next = uint.MaxValue;

    public Node Choose(IReadOnlyList<Node> nodes) => nodes[(int)(Interlocked.Increment(ref _next) % (uint)nodes.Count)];
}
