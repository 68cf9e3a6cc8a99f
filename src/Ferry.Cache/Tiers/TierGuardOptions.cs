namespace Ferry.Cache.Tiers;

/// <summary>How long a tier may take and how often it may fail before requests go on without it.</summary>
public sealed record TierGuardOptions
{
    /// <summary>For one operation; one that moves a large record gets what that needs at <see cref="BytesPerSecondMin"/>, if that is more.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Slower than this, recomputing wins. With the default 80 MiB (a chunk of a 70B model) still pass within the default deadline.</summary>
    public long BytesPerSecondMin { get; init; } = 16_000_000;

    /// <summary>Failures in a row that switch the tier off.</summary>
    public int FailuresToOpen { get; init; } = 3;

    /// <summary>How long it stays off at first; doubled each time the trial after it fails.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan OpenForMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Operations past their deadline that the tier has still not let go of (a hung mount); with that many nothing new is begun.</summary>
    public int AbandonedMax { get; init; } = 16;

    /// <summary>What an operation that moves that many bytes may take.</summary>
    public TimeSpan DeadlineFor(long byteCount)
    {
        var forBytes = TimeSpan.FromSeconds((double)byteCount / BytesPerSecondMin);
        return forBytes > Deadline ? forBytes : Deadline;
    }
}
