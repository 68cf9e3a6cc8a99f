namespace Ferry.Router.Policies;

/// <summary>The policies by name: a new one is one file and one line here.</summary>
public static class NodePolicies
{
    private static readonly Dictionary<string, Func<ulong, INodePolicy>> Factories = new(StringComparer.Ordinal)
    {
        ["round-robin"] = _ => new RoundRobinPolicy(),
        ["least-loaded"] = _ => new LeastLoadedPolicy(),
        ["power-of-two"] = seed => new PowerOfTwoPolicy(seed),
        ["session-affinity"] = _ => new SessionAffinityPolicy(),
        ["prefix-aware"] = _ => new PrefixAwarePolicy(),
        ["cost-based"] = _ => new CostBasedPolicy(),
    };

    /// <summary>Policies that look into the prefix index.</summary>
    private static readonly HashSet<string> Prefix = new(StringComparer.Ordinal) { "prefix-aware", "cost-based" };

    public static IReadOnlyCollection<string> Names => Factories.Keys;

    internal static bool UsesPrefixes(string name) => Prefix.Contains(name);

    /// <summary>A policy has a state, so each pool gets its own.</summary>
    internal static INodePolicy Create(string name, ulong seed) => Factories[name](seed);
}
