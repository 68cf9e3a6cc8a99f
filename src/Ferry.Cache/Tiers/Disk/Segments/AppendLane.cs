namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Who appends: clients' records and those that compaction moves go to different segments, since what has been kept once is likely to be kept longer.</summary>
internal sealed class AppendLane : IDisposable
{
    /// <summary>One takes room at a time; writing into it goes on side by side.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    /// <summary>The segment being filled; under the store's lock.</summary>
    public DiskSegment? Active { get; set; }

    public void Dispose() => Turn.Dispose();
}
