namespace Ferry.Cache.Tiers;

/// <summary>Bounds of the queue between memory and one tier.</summary>
public sealed record WriteBehindOptions
{
    /// <summary>Record bytes that may wait; they stay in memory meanwhile and cannot be evicted.</summary>
    public required long QueueBytes { get; init; }

    /// <summary>Records written at one time.</summary>
    public int Writers { get; init; } = 2;

    /// <summary>How long closing waits for what is queued.</summary>
    public TimeSpan CloseDeadline { get; init; } = TimeSpan.FromSeconds(10);
}
