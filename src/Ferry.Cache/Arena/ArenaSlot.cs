using System.Buffers;

namespace Ferry.Cache.Arena;

/// <summary>Bytes of the arena with a count of those who hold them; the last one gives them back.</summary>
/// <remarks>
/// Born with one reference. <see cref="Memory{T}"/> made from it throws once the slot is gone, and a pin (<see cref="MemoryHandle"/>) is a
/// reference of its own, so that an abandoned read never writes into another record. A span, however, is only as good as the reference its maker holds.
/// </remarks>
public sealed unsafe class ArenaSlot : MemoryManager<byte>
{
    private readonly KvArena _arena;
    private readonly ExtentHandle _extent;
    private int _references = 1;

    internal ArenaSlot(KvArena arena, ExtentHandle extent, long offset, int byteCount)
    {
        _arena = arena;
        _extent = extent;
        Offset = offset;
        ByteCount = byteCount;
    }

    /// <summary>Distance in bytes from <see cref="KvArena.BaseAddress"/>.</summary>
    public long Offset { get; }

    public int ByteCount { get; }

    /// <summary>Holders at this moment; for decisions that a later look confirms.</summary>
    internal int References => Volatile.Read(ref _references);

    /// <exception cref="ObjectDisposedException">The slot is gone.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _references) <= 0, this);
        return new Span<byte>(_arena.AddressOf(Offset), ByteCount); // Alive while the caller holds its reference: the arena outlives its slots.
    }

    /// <summary>Adds a holder.</summary>
    /// <returns>False when the slot is gone already.</returns>
    public bool TryAddReference()
    {
        var seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            var before = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }
            seen = before;
        }
        return false;
    }

    /// <summary>Ends one holder's reference. Each holder calls it exactly once.</summary>
    /// <returns>The references left.</returns>
    /// <exception cref="InvalidOperationException">More releases than references.</exception>
    public int Release()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left == 0)
        {
            _arena.Free(_extent);
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("An arena slot was released more often than it was held.");
        }
        return left;
    }

    /// <summary>A reference that <see cref="MemoryHandle.Dispose"/> ends.</summary>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)ByteCount, nameof(elementIndex));
        ObjectDisposedException.ThrowIf(!TryAddReference(), this);
        return new MemoryHandle(_arena.AddressOf(Offset) + elementIndex, default, this);
    }

    public override void Unpin() => Release();

    /// <summary>Nothing: references are ended by <see cref="Release"/>, and a finalizer must not touch native memory.</summary>
    protected override void Dispose(bool disposing)
    {
    }
}
