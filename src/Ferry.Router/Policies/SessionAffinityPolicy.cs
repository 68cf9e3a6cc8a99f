namespace Ferry.Router.Policies;

/// <summary>The same node for the same session; the least loaded one for requests without a session.</summary>
/// <remarks>
/// By rendezvous hashing: nothing is stored, every router agrees, and when a node comes or goes only its own sessions move. A node's
/// share is honoured (weighted rendezvous, Schindelhauer and Schomaker).
/// </remarks>
internal sealed class SessionAffinityPolicy : INodePolicy
{
    private readonly LeastLoadedPolicy _others = new();

    public int Choose(in PolicyInput input)
    {
        if (input.SessionHash == 0) { return _others.Choose(input); }
        var best = 0;
        var highest = double.NegativeInfinity;
        for (var index = 0; index < input.Nodes.Length; index++)
        {
            var name = System.IO.Hashing.XxHash3.HashToUInt64(System.Runtime.InteropServices.MemoryMarshal.AsBytes(input.Nodes[index].Name.AsSpan()));
            var mixed = PowerOfTwoPolicy.Mix(name ^ input.SessionHash);
            var unit = ((mixed >> 11) + 0.5) / (1UL << 53);   // in (0, 1)
            var score = -input.Nodes[index].Spec.Weight / Math.Log(unit);
            if (score > highest) { (best, highest) = (index, score); }
        }
        return best;
    }
}
