namespace Ferry.Router.Policies;

/// <summary>The node with the shortest estimated time: queue and computation at the node's measured rate, and the move of the KV to the decode node at the pair's.</summary>
internal sealed class CostBasedPolicy : INodePolicy
{
    private uint _next = uint.MaxValue;

    public int Choose(in PolicyInput input)
    {
        var first = (int)(Interlocked.Increment(ref _next) % (uint)input.Nodes.Length);
        var best = first;
        var least = double.PositiveInfinity;
        for (var step = 0; step < input.Nodes.Length; step++)
        {
            var index = (first + step) % input.Nodes.Length;
            var seconds = Seconds(input, index);
            if (seconds < least) { (best, least) = (index, seconds); }
        }
        return best;
    }

    private static double Seconds(in PolicyInput input, int index)
    {
        var node = input.Nodes[index];
        var rate = node.TokensPerSecond > 0 ? node.TokensPerSecond : input.Options.PrefillTokensPerSecond;
        // A decode node computes the prompt only where no prefill node does; its own queue counts all the same.
        var compute = Math.Max(0, input.PromptTokens - input.HitTokens[index]) / rate;
        var queue = input.Load(index) / rate;
        if (input.Decode is not { } decode) { return queue + compute; }
        var link = input.Pairs.BytesPerSecond(node, decode) is > 0 and var measured ? measured : input.Options.LinkBytesPerSecond;
        var moved = Math.Max(0, input.PromptTokens - input.DecodeHitTokens) * input.Options.KvBytesPerToken / link;
        return queue + compute + moved;
    }
}
