using Ferry.Router.Health;

namespace Ferry.Router.Policies;

/// <summary>What a policy chooses by. All nodes take work now and were not tried yet.</summary>
/// <param name="nodes">At least one.</param>
/// <param name="hitTokens">By node: prompt tokens that it is believed to have, weighted by their tier.</param>
internal readonly ref struct PolicyInput(ReadOnlySpan<Node> nodes, ReadOnlySpan<double> hitTokens)
{
    public ReadOnlySpan<Node> Nodes { get; } = nodes;

    public ReadOnlySpan<double> HitTokens { get; } = hitTokens;

    public required int PromptTokens { get; init; }

    /// <summary>Hash of what keeps a conversation together; 0: nothing does.</summary>
    public ulong SessionHash { get; init; }

    /// <summary>The decode node, when the prefill node for it is chosen.</summary>
    public Node? Decode { get; init; }

    /// <summary>Tokens of the prompt that <see cref="Decode"/> has: they need not be moved.</summary>
    public double DecodeHitTokens { get; init; }

    public required RouterOptions Options { get; init; }

    public required PairTable Pairs { get; init; }

    /// <summary>Milliseconds of <see cref="RouterTime"/>.</summary>
    public required long Now { get; init; }

    /// <summary>
    /// What a node has to do, in tokens: its requests (ours, or those it reports, whichever are more) and the prompt tokens queued for it.
    /// A node with half the weight, or in its slow start, counts for more.
    /// </summary>
    public double Load(int index)
    {
        var node = Nodes[index];
        var requests = Math.Max(node.Running, node.Health.ReportedRequests);
        return (((double)requests * Options.RequestTokens) + node.QueuedTokens) / Share(index);
    }

    /// <summary>The node's share of the load, more than 0.</summary>
    public double Share(int index) => Nodes[index].Spec.Weight * Nodes[index].Health.Ramp(Now, Options.SlowStart);
}
