using System.Runtime.InteropServices;
using Ferry.Transfer.SharedMemory;

namespace Ferry.Transfer.Probe;

/// <summary>Memory for measurements. Dispose it once no region on it is registered any more.</summary>
public sealed unsafe class ProbeArena : IDisposable
{
    private const nuint HugePageBytes = 2 << 20;

    private readonly SharedArena? _shared;
    private void* _private; // Owned, null with shared memory.

    /// <exception cref="InsufficientMemoryException">The system does not have that much.</exception>
    public ProbeArena(long bytes, ProbeMemory memory)
    {
        Bytes = bytes;
        if (memory == ProbeMemory.Shared)
        {
            _shared = new SharedArena(bytes);
        }
        else
        {
            try
            {
                _private = NativeMemory.AlignedAlloc((nuint)bytes, HugePageBytes);
            }
            catch (OutOfMemoryException error)
            {
                throw new InsufficientMemoryException($"{bytes} bytes for the measurement are not to be had. Ask for less.", error);
            }
            if (OperatingSystem.IsLinux())
            {
                _ = LinuxMemory.Advise((nint)_private, (nuint)bytes, LinuxMemory.AdviseHugePages);
            }
        }
        NativeMemory.Fill((void*)Address, (nuint)bytes, 0x5A); // Every page is there before a clock runs.
    }

    public long Bytes { get; }

    public nint Address => _shared?.Address ?? (nint)_private;

    public SharedBacking? Backing => _shared?.Backing;

    /// <summary>At most 2 GiB from an offset.</summary>
    public Span<byte> Span(long offset, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Bytes - bytes);
        return new Span<byte>((byte*)Address + offset, bytes);
    }

    public void Dispose()
    {
        _shared?.Dispose();
        if (_private is not null)
        {
            NativeMemory.AlignedFree(_private);
            _private = null;
        }
    }
}
