using Ferry.Router.Discovery;
using Ferry.Router.Policies;

namespace Ferry.Router;

/// <summary>The nodes of one role and how one of them is chosen.</summary>
public sealed class NodePool(IEnumerable<NodeSpec> specs, NodeRole role, INodePolicy policy)
{
    public IReadOnlyList<Node> Nodes { get; } = [.. specs.Select(spec => new Node(spec.Address, role))];

    /// <summary>A node that is not among <paramref name="tried"/>; null when all were tried.</summary>
    public Node? TryChoose(IReadOnlyCollection<Node> tried)
    {
        if (tried.Count == 0)
        {
            return policy.Choose(Nodes);
        }
        Node[] left = [.. Nodes.Where(node => !tried.Contains(node))];
        return left.Length == 0 ? null : policy.Choose(left);
    }
}
