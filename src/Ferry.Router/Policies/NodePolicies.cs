namespace Ferry.Router.Policies;

/// <summary>The policies by name: a new one is one file and one line here.</summary>
public static class NodePolicies
{
    private static readonly Dictionary<string, Func<INodePolicy>> Factories = new(StringComparer.Ordinal)
    {
        ["round-robin"] = () => new RoundRobinPolicy(),
    };

    public static IReadOnlyCollection<string> Names => Factories.Keys;

    /// <summary>A policy has a state, so each pool gets its own.</summary>
    public static INodePolicy Create(string name) => Factories[name]();
}
