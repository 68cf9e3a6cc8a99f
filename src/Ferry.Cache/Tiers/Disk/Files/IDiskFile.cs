namespace Ferry.Cache.Tiers.Disk.Files;

/// <summary>One open file of the disk tier. Positions and lengths are bytes. Thread-safe for ranges that do not overlap; calls block.</summary>
/// <remarks>A call that fails throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>; what it wrote by then is undefined. Nothing is durable before <see cref="Sync"/> returns.</remarks>
internal interface IDiskFile : IDisposable
{
    long LengthBytes { get; }

    /// <summary>What the file takes up on the medium, holes left out and the file system's own blocks for it included.</summary>
    long AllocatedBytes { get; }

    /// <summary>Fills <paramref name="destination"/> from a position that is a multiple of a page.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    void Read(long position, Memory<byte> destination);

    /// <summary>Writes from a position that is a multiple of a page; up to the end of the last page what follows is undefined.</summary>
    void Write(long position, ReadOnlyMemory<byte> bytes);

    /// <summary>Like <see cref="Read"/> for a few bytes anywhere, through the system's cache.</summary>
    /// <returns>Bytes read: fewer at the end of the file.</returns>
    int ReadSmall(long position, Span<byte> destination);

    /// <summary>Like <see cref="Write"/> for a few bytes anywhere, through the system's cache; touches nothing beside them.</summary>
    void WriteSmall(long position, ReadOnlySpan<byte> bytes);

    /// <summary>Makes the file longer; the new bytes are zero and, where the file system can, have their place on the medium already.</summary>
    void Extend(long lengthBytes);

    /// <summary>Cuts the file's end off.</summary>
    void Truncate(long lengthBytes);

    /// <summary>Gives whole pages back to the file system; they read as zeros from now on.</summary>
    /// <returns>False when the file system cannot.</returns>
    bool TryPunch(long position, long byteCount);

    /// <summary>Returns when all that was written before the call is on the medium.</summary>
    void Sync();
}
