namespace Ferry.Router.Policies;

/// <summary>Two nodes at random, and of them the one with less to do: nearly as even as looking at all, and several routers do not herd.</summary>
/// <param name="seed">Of the random choice.</param>
internal sealed class PowerOfTwoPolicy(ulong seed) : INodePolicy
{
    private ulong _state = seed;

    public int Choose(in PolicyInput input)
    {
        var count = (uint)input.Nodes.Length;
        if (count == 1) { return 0; }
        var random = Mix(Interlocked.Add(ref _state, 0x9E3779B97F4A7C15));
        var first = (int)((uint)random % count);
        var second = (int)((uint)(random >> 32) % (count - 1));
        second += second >= first ? 1 : 0;
        return input.Load(second) < input.Load(first) ? second : first;
    }

    /// <summary>splitmix64.</summary>
    internal static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
