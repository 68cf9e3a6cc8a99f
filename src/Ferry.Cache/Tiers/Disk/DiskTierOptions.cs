using Ferry.Cache.Eviction;
using Ferry.Kv.Text;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>A directory on a disk of this machine that one process owns.</summary>
public sealed record DiskTierOptions
{
    /// <summary>The least that makes sense: room for a few records and the pages that describe them.</summary>
    public const long CapacityBytesMin = 1 << 20;

    /// <summary>Absolute; made if missing. It must be empty or a disk tier's own.</summary>
    public required string Path { get; init; }

    /// <summary>The exact limit of what the directory's files take up on the file system, slack and holes' edges included.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>Bytes of a segment file. Null: 1 GiB, or an eighth of the capacity where that is less. A larger record gets a segment of its own.</summary>
    public long? SegmentBytes { get; init; }

    public DiskSyncPolicy Sync { get; init; } = DiskSyncPolicy.Interval;

    /// <summary>For <see cref="DiskSyncPolicy.Interval"/>.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>False: through the page cache, for comparison.</summary>
    public bool TryDirectIo { get; init; } = true;

    /// <summary>Records, or pieces of large ones, read at one time.</summary>
    public int ReadDepth { get; init; } = 8;

    /// <summary>Records written at one time.</summary>
    public int WriteDepth { get; init; } = 4;

    /// <summary>Reads, and writes, that may wait for their turn; the next ones wait for a place to wait in.</summary>
    public int QueueMax { get; init; } = 1024;

    /// <summary>Name of an eviction policy.</summary>
    public string Policy { get; init; } = EvictionPolicies.Default;

    /// <summary>Bytes that background compaction may read and write a second.</summary>
    public long CompactionBytesPerSecond { get; init; } = 64 << 20;

    /// <summary>How long nothing is written after a write has failed; doubled each time the next one fails too.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan RetryAfterMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Chunks pinned at one time.</summary>
    public int PinsMax { get; init; } = 65_536;

    internal long SegmentBytesOrDefault => SegmentBytes ?? Math.Max(64 << 10, Math.Min(1L << 30, DiskPages.RoundDown(CapacityBytes / 8)));

    /// <summary>Segment files grow by this: it is what they may be larger than their content.</summary>
    internal long GrowBytes => Math.Max(64 << 10, DiskPages.RoundDown(SegmentBytesOrDefault / 8));

    /// <summary>Every error at once, each with name, value, limit and way out; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (!System.IO.Path.IsPathFullyQualified(Path))
        {
            errors.Add($"cache.disk.path is \"{Path}\"; it must be absolute, or each process would look for it elsewhere.");
        }
        if (CapacityBytes < CapacityBytesMin)
        {
            errors.Add($"cache.disk.capacityBytes is {CapacityBytes}; it must be at least {CapacityBytesMin}. Give the disk tier some GiB, or leave it out.");
        }
        if (SegmentBytes is { } segment && (segment < 64 << 10 || segment % DiskPages.PageBytes != 0 || segment > CapacityBytes / 4 || segment > int.MaxValue))
        {
            errors.Add($"cache.disk.segmentBytes is {segment}; it must be a multiple of {DiskPages.PageBytes}, from {64 << 10} to {int.MaxValue} and to a quarter of cache.disk.capacityBytes ({CapacityBytes / 4}). Leave it out for a fitting one.");
        }
        if (!Enum.IsDefined(Sync))
        {
            errors.Add($"cache.disk.sync is {Sync}; it must be one of: none, interval, every.");
        }
        if (SyncInterval < TimeSpan.FromMilliseconds(1) || SyncInterval > TimeSpan.FromHours(1))
        {
            errors.Add($"cache.disk.syncInterval is {SyncInterval}; it must lie in 1 ms..1 h.");
        }
        Bound(errors, "readDepth", ReadDepth, 1, 256);
        Bound(errors, "writeDepth", WriteDepth, 1, 256);
        Bound(errors, "queueMax", QueueMax, 1, 1 << 20);
        Bound(errors, "pinsMax", PinsMax, 0, 1 << 24);
        Bound(errors, "compactionBytesPerSecond", CompactionBytesPerSecond, 1 << 20, 1L << 40);
        if (!EvictionPolicies.Names.Contains(Policy, StringComparer.OrdinalIgnoreCase))
        {
            var nearest = NearestName.Find(Policy, EvictionPolicies.Names) is { } name ? $" Did you mean {name}?" : "";
            errors.Add($"cache.disk.policy is \"{Policy}\"; it must be one of: {string.Join(", ", EvictionPolicies.Names)}.{nearest}");
        }
        if (RetryAfter <= TimeSpan.Zero || RetryAfterMax < RetryAfter || RetryAfterMax > TimeSpan.FromDays(1))
        {
            errors.Add($"cache.disk.retryAfter is {RetryAfter} and retryAfterMax {RetryAfterMax}; the first must be above 0 and at most the second, and that at most a day.");
        }
        return errors;
    }

    private static void Bound(List<string> errors, string name, long value, long least, long most)
    {
        if (value < least || value > most)
        {
            errors.Add($"cache.disk.{name} is {value}; it must lie in {least}..{most}.");
        }
    }
}
