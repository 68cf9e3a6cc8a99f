namespace Ferry.Router.Policies;

/// <summary>The node with the least to do: running and waiting requests and queued prompt tokens. Of equals, each in turn.</summary>
internal sealed class LeastLoadedPolicy : INodePolicy
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
            var load = input.Load(index);
            if (load < least) { (best, least) = (index, load); }
        }
        return best;
    }
}
