using Ferry.Cache.Tiers;

namespace Ferry.Cache.Chains;

/// <summary>Where one chunk of a chain was found.</summary>
/// <param name="InMemory">Whether memory has it.</param>
/// <param name="Tier">Null when memory has it.</param>
/// <param name="Families">Sets of records of which each may serve the query; which does shows when they are read.</param>
/// <param name="Tokens">Tokens of the chunk; 0 when the query does not say.</param>
internal readonly record struct ChainLink(bool InMemory, GuardedTier? Tier, IReadOnlyList<IReadOnlyList<TierRecord>> Families, int Tokens)
{
    public bool IsFound => InMemory || Tier is not null;

    /// <summary>Bytes to read.</summary>
    public long Bytes
    {
        get
        {
            var bytes = 0L;
            foreach (var record in Families.Count > 0 ? Families[0] : [])
            {
                bytes += record.RecordBytes;
            }
            return bytes;
        }
    }
}
