namespace Ferry.Cache.Eviction;

/// <summary>The policies by the names that people write (LMCache's <c>cache_policy</c>), in any case.</summary>
public static class EvictionPolicies
{
    public const string Default = "lru";

    private static readonly SortedDictionary<string, Func<IEvictionPolicy>> ByName = new(StringComparer.OrdinalIgnoreCase)
    {
        ["lru"] = () => new LruPolicy(),
    };

    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <exception cref="ArgumentException">No policy has that name; the message lists those that exist.</exception>
    public static IEvictionPolicy Create(string name) => ByName.TryGetValue(name, out var create)
        ? create()
        : throw new ArgumentException($"cache.policy is \"{name}\"; it must be one of: {string.Join(", ", Names)}.", nameof(name));
}
