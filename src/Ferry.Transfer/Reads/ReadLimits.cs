namespace Ferry.Transfer;

/// <summary>Bounds and sizes of reads.</summary>
public sealed record ReadLimits
{
    /// <summary>The most that one segment may have: what a serving side agrees to send without looking at a lease again.</summary>
    public const int SegmentBytesMax = 64 << 20;

    /// <summary>Descriptors of one segment: a frame of 1 MiB holds 43,690 of 24 bytes.</summary>
    public const int SegmentDescriptorCountMax = 32_768;

    /// <summary>A read is cut into segments of at most this; the lease is checked before and after each. 2 MiB is the first value tried (docs/measurements/transfer-tcp.md).</summary>
    public int SegmentBytes { get; init; } = 2 << 20;

    /// <summary>Segments asked for ahead on one stream, so that the owner never waits for the next question.</summary>
    public int SegmentsInFlight { get; init; } = 3;

    /// <summary>Descriptors of one read. 262,144 = 2 GiB in pieces of 8 KiB, the worst that vLLM's block size of 16 makes.</summary>
    public int DescriptorCountMax { get; init; } = 262_144;

    /// <summary>Bytes of one read: 64 GiB.</summary>
    public long ReadBytesMax { get; init; } = 64L << 30;

    /// <summary>Reads under way at one peer.</summary>
    public int ReadCountMax { get; init; } = 1024;

    /// <summary>
    /// Asks the owner for an XXH3-64 of every segment and compares. Off by default: TCP has its own checksum and records carry
    /// XXH3-128, which whoever uses the bytes verifies anyway.
    /// </summary>
    public bool Checksum { get; init; }
}
