namespace Ferry.Cache.Eviction;

/// <summary>A policy by name. A store makes as many of it as it keeps orders: one for all, and one for each salt that has a quota.</summary>
public sealed class EvictionPolicyKind
{
    private readonly Func<IEvictionNodes, IEvictionPolicy> _create;

    internal EvictionPolicyKind(string name, Func<IEvictionNodes, IEvictionPolicy> create) => (Name, _create) = (name, create);

    public string Name { get; }

    public override string ToString() => Name;

    internal IEvictionPolicy Create(IEvictionNodes nodes) => _create(nodes);
}
