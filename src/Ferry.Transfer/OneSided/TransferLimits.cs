namespace Ferry.Transfer;

/// <summary>Bounds and sizes of reads and writes.</summary>
public sealed record TransferLimits
{
    /// <summary>The most that one segment may have: what an owner agrees to hold memory for in one go.</summary>
    public const int SegmentBytesMax = 64 << 20;

    /// <summary>Descriptors of one segment: a frame of 1 MiB holds 29,000 of 36 bytes, the longest form.</summary>
    public const int SegmentDescriptorCountMax = 16_384;

    /// <summary>A transfer over TCP is cut into segments of at most this; the lease is checked before and after each. 2 MiB is the first value tried (docs/measurements/transfer-tcp.md).</summary>
    public int SegmentBytes { get; init; } = 2 << 20;

    /// <summary>
    /// The same where bytes do not travel in the connection (shared memory, UCX): a segment costs one question there and back, which a
    /// larger one makes smaller. A transfer is cut into at least as many segments as there are streams, down to 1 MiB.
    /// </summary>
    public int InPlaceSegmentBytes { get; init; } = 16 << 20;

    /// <summary>Segments asked for ahead on one stream, so that the owner never waits for the next question.</summary>
    public int SegmentsInFlight { get; init; } = 3;

    /// <summary>Descriptors of one transfer. 262,144 = 2 GiB in pieces of 8 KiB, the worst that vLLM's block size of 16 makes.</summary>
    public int DescriptorCountMax { get; init; } = 262_144;

    /// <summary>Bytes of one transfer: 64 GiB.</summary>
    public long TransferBytesMax { get; init; } = 64L << 30;

    /// <summary>Reads and writes under way at one agent.</summary>
    public int TransferCountMax { get; init; } = 1024;

    /// <summary>
    /// Has an XXH3-64 of every segment made on one side and compared on the other. Off by default: TCP has its own checksum and records carry
    /// XXH3-128, which whoever uses the bytes verifies anyway.
    /// </summary>
    public bool Checksum { get; init; }
}
