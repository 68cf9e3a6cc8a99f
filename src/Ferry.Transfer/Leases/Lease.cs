namespace Ferry.Transfer;

/// <summary>A grant to read or write ranges of memory until a moment. Made by <see cref="LeaseTable"/>.</summary>
public sealed class Lease
{
    private readonly LeaseRange[] _ranges;

    internal Lease(ulong id, ulong generation, LeaseRange[] sortedRanges, AgentIdentity? holder, Action<Lease, LeaseEnd>? ended, LeaseRights rights)
    {
        Id = id;
        Generation = generation;
        _ranges = sortedRanges;
        Holder = holder;
        OnEnded = ended;
        Rights = rights;
    }

    /// <summary>Random and never 0: knowing it is the right to use it.</summary>
    public ulong Id { get; }

    public LeaseRights Rights { get; }

    /// <summary>The run of the agent that granted it.</summary>
    public ulong Generation { get; }

    /// <summary>The reader it was granted to, or null: it ends when the last connection of that reader does.</summary>
    public AgentIdentity? Holder { get; }

    /// <summary>Sorted by region, then offset.</summary>
    public IReadOnlyList<LeaseRange> Ranges => _ranges;

    // All below is written under the table's lock only.
    internal Action<Lease, LeaseEnd>? OnEnded { get; }

    internal long ExpiresAtTimestamp { get; set; }

    internal int Uses { get; set; }

    internal LeaseEnd? End { get; set; }

    /// <summary>True if one of the ranges holds all of [offset, offset + bytes). Ranges that touch are not joined: a read never spans two records.</summary>
    internal bool Covers(uint regionId, long offset, long bytes)
    {
        // The last range that begins at or before offset is the only one that can hold it, unless ranges overlap;
        // overlapping ones are refused when the lease is granted.
        int low = 0, high = _ranges.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            ref readonly var range = ref _ranges[middle];
            if (range.RegionId < regionId || (range.RegionId == regionId && range.Offset <= offset))
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        if (high < 0 || bytes < 1)
        {
            return false;
        }
        ref readonly var candidate = ref _ranges[high];
        var skipped = offset - candidate.Offset;
        return candidate.RegionId == regionId && skipped < candidate.Bytes && bytes <= candidate.Bytes - skipped;
    }
}
