namespace Ferry.Router.Policies;

/// <summary>
/// The node that has least to compute before this prompt is done: what it lacks of the prompt, and what it has to do already. A long
/// cached prefix wins until its node is busier by as many tokens.
/// </summary>
internal sealed class PrefixAwarePolicy : INodePolicy
{
    private uint _next = uint.MaxValue;

    public int Choose(in PolicyInput input)
    {
        // Of equals each in turn, so that prompts nobody knows are spread.
        var first = (int)(Interlocked.Increment(ref _next) % (uint)input.Nodes.Length);
        var best = first;
        var least = double.PositiveInfinity;
        for (var step = 0; step < input.Nodes.Length; step++)
        {
            var index = (first + step) % input.Nodes.Length;
            var cost = Math.Max(0, input.PromptTokens - input.HitTokens[index]) + (input.Options.LoadFactor * input.Load(index));
            if (cost < least) { (best, least) = (index, cost); }
        }
        return best;
    }
}
