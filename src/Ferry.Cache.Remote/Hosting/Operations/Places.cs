using Ferry.Cache.Remote.Hosting.Admin;
using Ferry.Cache.Tiers;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>The tiers by the words that people use for them: memory, and the kind of each tier below it.</summary>
internal static class Places
{
    public const string Memory = "memory";

    public static IEnumerable<string> All(RecordCache cache) => cache.Tiers.Select(tier => tier.Kind).Prepend(Memory);

    /// <exception cref="AdminException">There is no such tier below memory.</exception>
    public static GuardedTier Find(RecordCache cache, string place) =>
        cache.Tiers.FirstOrDefault(tier => tier.Kind == place) ?? throw Unknown(cache, place);

    /// <exception cref="AdminException">There is no such tier.</exception>
    public static void RequireKnown(RecordCache cache, string place)
    {
        if (place != Memory)
        {
            Find(cache, place);
        }
    }

    private static AdminException Unknown(RecordCache cache, string place) =>
        new(400, $"there is no tier '{place}' here; this exchange has {string.Join(", ", All(cache))}.{NameHint.Of(place, All(cache))}");
}
