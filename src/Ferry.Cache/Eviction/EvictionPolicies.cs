namespace Ferry.Cache.Eviction;

/// <summary>The policies by the names that people write (LMCache's <c>cache_policy</c>), in any case.</summary>
public static class EvictionPolicies
{
    public const string Default = "lru";

    private static readonly SortedDictionary<string, Func<IEvictionNodes, IEvictionPolicy>> ByName = new(StringComparer.OrdinalIgnoreCase)
    {
        ["fifo"] = nodes => new FifoPolicy(nodes),
        ["lfu"] = nodes => new LfuPolicy(nodes),
        ["lru"] = nodes => new LruPolicy(nodes),
        ["mru"] = nodes => new MruPolicy(nodes),
        ["s3fifo"] = nodes => new S3FifoPolicy(nodes),
    };

    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <exception cref="ArgumentException">No policy has that name; the message lists those that exist.</exception>
    public static EvictionPolicyKind Create(string name) => ByName.TryGetValue(name, out var create)
        ? new EvictionPolicyKind(ByName.Keys.First(known => StringComparer.OrdinalIgnoreCase.Equals(known, name)), create)
        : throw new ArgumentException($"cache.policy is \"{name}\"; it must be one of: {string.Join(", ", Names)}.", nameof(name));
}
