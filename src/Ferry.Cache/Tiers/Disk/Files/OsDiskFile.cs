using Microsoft.Win32.SafeHandles;

namespace Ferry.Cache.Tiers.Disk.Files;

/// <summary>A file of the operating system: records by direct I/O where it is to be had, small writes through the page cache, which the kernel keeps coherent.</summary>
internal sealed class OsDiskFile : IDiskFile
{
    private readonly SafeFileHandle _cached;
    private readonly SafeFileHandle? _direct;
    private readonly string _path;

    /// <param name="direct">Another handle of the same file; null without direct I/O. Both are owned from now on.</param>
    public OsDiskFile(string path, SafeFileHandle cached, SafeFileHandle? direct)
    {
        (_path, _cached, _direct) = (path, cached, direct);
    }

    public long LengthBytes => RandomAccess.GetLength(_cached);

    public long AllocatedBytes => (OperatingSystem.IsLinux() ? LinuxFile.TryGetAllocated(_cached) : null) ?? DiskPages.RoundUp(LengthBytes);

    public void Read(long position, Memory<byte> destination)
    {
        var read = _direct is null ? 0 : ReadDirect(_direct, position, destination);
        // All of it without direct I/O; with it, what a short read has left: the end of the file, or an interruption.
        while (read < destination.Length)
        {
            var more = RandomAccess.Read(_cached, destination.Span[read..], position + read);
            read += more > 0 ? more : throw new EndOfStreamException($"{_path} ends at {LengthBytes}, before {position + destination.Length}.");
        }
    }

    public void Write(long position, ReadOnlyMemory<byte> bytes)
    {
        if (_direct is null)
        {
            RandomAccess.Write(_cached, bytes.Span, position);
            return;
        }
        using var pin = bytes.Pin(); // What is aligned now must not be moved before it is written.
        if (!AlignedBuffers.AreAligned(bytes.Span))
        {
            WriteCopied(_direct, position, bytes);
            return;
        }
        var whole = (int)DiskPages.RoundDown(bytes.Length);
        if (whole == bytes.Length)
        {
            RandomAccess.Write(_direct, bytes.Span, position);
            return;
        }
        var buffer = AlignedBuffers.Rent();
        try
        {
            var page = Padded(bytes[whole..], buffer);
            RandomAccess.Write(_direct, whole == 0 ? [page] : [bytes[..whole], page], position);
        }
        finally
        {
            AlignedBuffers.Return(buffer);
        }
    }

    public int ReadSmall(long position, Span<byte> destination)
    {
        var read = 0;
        while (read < destination.Length && RandomAccess.Read(_cached, destination[read..], position + read) is var more and > 0)
        {
            read += more;
        }
        return read;
    }

    public void WriteSmall(long position, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_cached, bytes, position);

    public void Extend(long lengthBytes)
    {
        var from = LengthBytes;
        if (!OperatingSystem.IsLinux() || !LinuxFile.TryAllocate(_cached, _path, from, lengthBytes - from))
        {
            RandomAccess.SetLength(_cached, lengthBytes);
        }
    }

    public void Truncate(long lengthBytes) => RandomAccess.SetLength(_cached, lengthBytes);

    public bool TryPunch(long position, long byteCount) =>
        OperatingSystem.IsLinux() && LinuxFile.TryPunch(_cached, _path, position, byteCount);

    public void Sync()
    {
        if (OperatingSystem.IsLinux())
        {
            LinuxFile.Sync(_cached, _path); // One inode: what went through the direct handle is meant too.
        }
        else
        {
            RandomAccess.FlushToDisk(_cached);
        }
    }

    public void Dispose()
    {
        _direct?.Dispose();
        _cached.Dispose();
    }

    private static int ReadDirect(SafeFileHandle direct, long position, Memory<byte> destination)
    {
        using var pin = destination.Pin();
        var buffer = AlignedBuffers.Rent();
        try
        {
            return AlignedBuffers.AreAligned(destination.Span)
                ? ReadInPlace(direct, position, destination, buffer)
                : ReadCopied(direct, position, destination, buffer);
        }
        finally
        {
            AlignedBuffers.Return(buffer);
        }
    }

    /// <summary>Whole pages into their place, the rest of the last page by way of the buffer, in one call.</summary>
    private static int ReadInPlace(SafeFileHandle direct, long position, Memory<byte> destination, Memory<byte> buffer)
    {
        var whole = (int)DiskPages.RoundDown(destination.Length);
        if (whole == destination.Length)
        {
            return RandomAccess.Read(direct, destination.Span, position);
        }
        var page = buffer[..DiskPages.PageBytes];
        var read = RandomAccess.Read(direct, whole == 0 ? [page] : [destination[..whole], page], position);
        if (read < destination.Length)
        {
            return (int)Math.Min(read, whole); // The tail is read again with the rest.
        }
        page[..(destination.Length - whole)].CopyTo(destination[whole..]);
        return destination.Length;
    }

    private static int ReadCopied(SafeFileHandle direct, long position, Memory<byte> destination, Memory<byte> buffer)
    {
        for (var done = 0; done < destination.Length;)
        {
            var wanted = Math.Min(destination.Length - done, buffer.Length);
            if (RandomAccess.Read(direct, buffer.Span[..(int)DiskPages.RoundUp(wanted)], position + done) < wanted)
            {
                return done;
            }
            buffer[..wanted].CopyTo(destination[done..]);
            done += wanted;
        }
        return destination.Length;
    }

    private static void WriteCopied(SafeFileHandle direct, long position, ReadOnlyMemory<byte> bytes)
    {
        var buffer = AlignedBuffers.Rent();
        try
        {
            for (var done = 0; done < bytes.Length;)
            {
                var some = bytes.Slice(done, Math.Min(bytes.Length - done, buffer.Length));
                RandomAccess.Write(direct, Padded(some, buffer).Span, position + done);
                done += some.Length;
            }
        }
        finally
        {
            AlignedBuffers.Return(buffer);
        }
    }

    private static ReadOnlyMemory<byte> Padded(ReadOnlyMemory<byte> bytes, Memory<byte> buffer)
    {
        var padded = buffer[..(int)DiskPages.RoundUp(bytes.Length)];
        bytes.CopyTo(padded);
        padded.Span[bytes.Length..].Clear();
        return padded;
    }
}
