namespace Ferry.Transfer.SharedMemory;

/// <summary>Native memory that other processes of this host can map: a memfd, sealed against shrinking so that a mapping never loses its pages.</summary>
/// <remarks>Zeroed. Nothing has a name in a file system, so nothing is left behind when the process is killed.</remarks>
public sealed class SharedArena : IDisposable
{
    private readonly int _descriptor;
    private nint _address; // Owned; unmapped by Dispose, which the caller calls after every region on it has been deregistered.

    /// <param name="bytes">At least 1; rounded up to whole pages.</param>
    /// <exception cref="PlatformNotSupportedException">Not Linux.</exception>
    /// <exception cref="InsufficientMemoryException">The system refuses that much shared memory.</exception>
    public SharedArena(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Shared memory needs Linux (memfd_create).");
        }
        Bytes = (bytes + Environment.SystemPageSize - 1) / Environment.SystemPageSize * Environment.SystemPageSize;
        _descriptor = LinuxMemory.CreateMemoryFile("ferry-arena", LinuxMemory.MemoryFileCloseOnExec | LinuxMemory.MemoryFileAllowSealing);
        if (_descriptor < 0)
        {
            throw new InsufficientMemoryException($"memfd_create: {LinuxMemory.LastError()}");
        }
        if (LinuxMemory.SetLength(_descriptor, Bytes) != 0
            || LinuxMemory.Control(_descriptor, LinuxMemory.AddSeals, LinuxMemory.SealShrink | LinuxMemory.SealSeal) != 0
            || (_address = LinuxMemory.Map(0, (nuint)Bytes, LinuxMemory.ProtectRead | LinuxMemory.ProtectWrite, LinuxMemory.MapShared, _descriptor, 0)) == LinuxMemory.MapFailed)
        {
            var error = LinuxMemory.LastError();
            _ = LinuxMemory.Close(_descriptor);
            throw new InsufficientMemoryException($"{Bytes} bytes of shared memory are not to be had ({error}). Ask for less, or raise the limits of this process.");
        }
        // Taken where the kernel allows huge pages for shared memory (shmem_enabled = advise); elsewhere the arena works with small ones.
        _ = LinuxMemory.Advise(_address, (nuint)Bytes, LinuxMemory.AdviseHugePages);
    }

    /// <summary>The same, or null where the system has no such memory or not that much.</summary>
    public static SharedArena? TryCreate(long bytes)
    {
        try
        {
            return OperatingSystem.IsLinux() ? new SharedArena(bytes) : null;
        }
        catch (InsufficientMemoryException)
        {
            return null;
        }
    }

    public long Bytes { get; }

    public nint Address => _address;

    /// <summary>For <see cref="ITransferAgent.Register"/>; good until disposal.</summary>
    public SharedBacking Backing => new(_descriptor, 0);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _address, 0) is not 0 and var address)
        {
            _ = LinuxMemory.Unmap(address, (nuint)Bytes);
            _ = LinuxMemory.Close(_descriptor);
        }
    }
}
