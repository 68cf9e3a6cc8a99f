namespace Ferry.TestKit.Lab;

/// <summary>What <see cref="FaultyLink"/> does to one line: positions count the bytes that come back on it.</summary>
public sealed record LineFault
{
    /// <summary>The line is cut once that many bytes have come back.</summary>
    public long? CutAtByte { get; init; }

    /// <summary>One bit of that byte is flipped.</summary>
    public long? FlipAtByte { get; init; }

    /// <summary>No more than this comes back.</summary>
    public int? BytesPerSecond { get; init; }

    /// <summary>No more than this goes to the far end.</summary>
    public int? ForthBytesPerSecond { get; init; }

    /// <summary>The line is cut once that many bytes have gone to the far end.</summary>
    public long? ForthCutAtByte { get; init; }

    /// <summary>From that byte on nothing more comes, while the line stays open.</summary>
    public long? HangAtByte { get; init; }

    /// <summary>From that byte on nothing more goes to the far end, while the line stays open.</summary>
    public long? ForthHangAtByte { get; init; }

    /// <summary>Sent to the near end in place of what the far end would say; then the line ends. The far end is never asked.</summary>
    public byte[]? Answer { get; init; }
}
