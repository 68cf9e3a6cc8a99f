using System.Buffers;
using System.Runtime.InteropServices;

namespace Ferry.Cache.Arena;

/// <summary>The memory of the memory tier: one aligned native allocation, cut into slots.</summary>
/// <remarks>
/// One range, so that a transfer agent registers it once and a peer addresses a slot by its offset. Thread-safe. The memory goes back to the
/// system when the arena is disposed <i>and</i> the last slot is released: a late reader never sees unmapped memory.
/// </remarks>
public sealed unsafe class KvArena : IDisposable
{
    private const nuint HugePageBytes = 2 << 20;

    private readonly Lock _lock = new();
    private readonly ExtentAllocator _extents;
    private readonly IDisposable? _owner; // Of memory that was provided; null for memory of the arena's own.
    private byte* _base; // Owned; freed by FreeIfDone_NeedsLock only, after which no slot exists that could hand out its address.
    private bool _disposed;

    /// <param name="provide">Given the capacity, memory to use instead of the arena's own, or null where there is none.</param>
    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    /// <exception cref="InsufficientMemoryException">The system does not have that much address space or memory.</exception>
    public KvArena(KvArenaOptions options, Func<long, ArenaMemory?>? provide = null)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        AlignmentBytes = options.AlignmentBytes;
        CapacityBytes = options.CapacityBytes / AlignmentBytes * AlignmentBytes;
        _extents = new ExtentAllocator(CapacityBytes / AlignmentBytes);
        if (provide?.Invoke(CapacityBytes) is { } provided)
        {
            if (provided.Address % Math.Max(AlignmentBytes, 4096) == 0)
            {
                _owner = provided.Owner;
                _base = (byte*)provided.Address;
                return;
            }
            provided.Owner.Dispose();
        }
        var byteCount = (nuint)CapacityBytes;
        var alignment = byteCount >= HugePageBytes ? HugePageBytes : (nuint)Math.Max(AlignmentBytes, 4096);
        try
        {
            _base = (byte*)NativeMemory.AlignedAlloc(byteCount, alignment);
        }
        catch (OutOfMemoryException error)
        {
            throw new InsufficientMemoryException(
                $"The system refused {CapacityBytes} bytes for the KV cache (cache.memory.capacityBytes). Lower it, or free memory on this machine.", error);
        }
        HugePages = options.TryHugePages && byteCount >= HugePageBytes ? MemoryAdvice.TryHugePages(_base, byteCount) : HugePages.NotTried;
    }

    /// <summary>Whole multiples of <see cref="AlignmentBytes"/>.</summary>
    public long CapacityBytes { get; }

    public int AlignmentBytes { get; }

    public HugePages HugePages { get; }

    /// <summary>Address of the first byte; valid until the arena is disposed and its last slot released.</summary>
    public nint BaseAddress => (nint)_base;

    /// <summary>Bytes in slots, alignment included: what counts against <see cref="CapacityBytes"/>.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_lock)
            {
                return CapacityBytes - (_extents.FreeUnits * AlignmentBytes);
            }
        }
    }

    /// <summary>Slots that are not released.</summary>
    public int SlotCount
    {
        get
        {
            lock (_lock)
            {
                return _extents.AllocatedCount;
            }
        }
    }

    /// <summary>Bytes that a slot of <paramref name="byteCount"/> bytes counts as: whole multiples of the alignment.</summary>
    public long SlotBytes(long byteCount) => (byteCount + AlignmentBytes - 1) & -AlignmentBytes; // A power of two.

    /// <summary>Takes a slot of <paramref name="byteCount"/> bytes whose content is undefined.</summary>
    /// <param name="offset">Distance in bytes from <see cref="BaseAddress"/>.</param>
    /// <returns>False at once when there is no room; nothing waits.</returns>
    internal bool TryAllocate(int byteCount, out ExtentHandle handle, out long offset)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(byteCount, 1);
        var units = ((long)byteCount + AlignmentBytes - 1) / AlignmentBytes;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var allocated = _extents.TryAllocate((int)units, out handle, out var firstUnit);
            offset = (long)firstUnit * AlignmentBytes;
            return allocated;
        }
    }

    /// <summary>Walks the books and throws on the first contradiction.</summary>
    /// <exception cref="InvalidOperationException">The books do not balance.</exception>
    public void CheckIntegrity()
    {
        lock (_lock)
        {
            _extents.CheckIntegrity();
        }
    }

    /// <summary>No more allocations; the memory itself stays until the last slot is released.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            FreeIfDone_NeedsLock();
        }
    }

    /// <summary>Bytes of a slot that the caller holds; good no longer than that.</summary>
    internal Span<byte> SpanOf(long offset, int byteCount) => new(_base + offset, byteCount);

    /// <summary>The address of a byte of a slot, with what gives the caller's hold back when the handle is disposed.</summary>
    internal MemoryHandle HandleOf(long offset, IPinnable holder) => new(_base + offset, default, holder);

    internal void Free(ExtentHandle handle)
    {
        lock (_lock)
        {
            _extents.Free(handle);
            FreeIfDone_NeedsLock();
        }
    }

    private void FreeIfDone_NeedsLock()
    {
        if (_disposed && _extents.AllocatedCount == 0 && _base != null)
        {
            if (_owner is not null)
            {
                _owner.Dispose();
            }
            else
            {
                NativeMemory.AlignedFree(_base);
            }
            _base = null;
        }
    }
}
