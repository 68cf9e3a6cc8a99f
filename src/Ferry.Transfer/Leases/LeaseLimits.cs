namespace Ferry.Transfer;

/// <summary>Bounds of a <see cref="LeaseTable"/>.</summary>
public sealed record LeaseLimits
{
    /// <summary>Leases at one time. 65,536 = 256 peers with 256 requests each.</summary>
    public int LeaseCountMax { get; init; } = 65_536;

    /// <summary>Ranges of one lease. 16,384 = 512 chunks of 256 tokens (131,072 tokens) with 32 ranks.</summary>
    public int RangeCountMax { get; init; } = 16_384;

    /// <summary>The furthest ahead that a lease can end. 480 s is vLLM's longest, <c>decoder_kv_blocks_ttl</c>.</summary>
    public TimeSpan DurationMax { get; init; } = TimeSpan.FromSeconds(480);
}
