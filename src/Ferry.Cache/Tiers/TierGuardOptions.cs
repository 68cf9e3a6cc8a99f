namespace Ferry.Cache.Tiers;

/// <summary>How long a tier may take and how often it may fail before requests go on without it.</summary>
public sealed record TierGuardOptions
{
    /// <summary>For one operation. The default lets 80 MiB (a chunk of a 70B model) pass at 16 MB/s; slower than that, recomputing wins.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Failures in a row that switch the tier off.</summary>
    public int FailuresToOpen { get; init; } = 3;

    /// <summary>How long it stays off at first; doubled each time the trial after it fails.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan OpenForMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Operations past their deadline that the tier has still not let go of (a hung mount); with that many nothing new is begun.</summary>
    public int AbandonedMax { get; init; } = 16;
}
