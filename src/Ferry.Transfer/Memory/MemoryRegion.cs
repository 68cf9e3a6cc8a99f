namespace Ferry.Transfer;

/// <summary>Native memory that an agent knows. The caller owns the memory; the agent owns the registration until disposed.</summary>
/// <remarks>Every send from it and every receive into it holds a use, and deregistering waits for those: a pointer is never used after it.</remarks>
public sealed class MemoryRegion : IAsyncDisposable
{
    private readonly RegionTable _table;
    private readonly UseGate _uses = new();

    internal MemoryRegion(RegionTable table, uint id, nint address, long bytes)
    {
        _table = table;
        Id = id;
        Address = address;
        Bytes = bytes;
    }

    /// <summary>The name under which peers ask for it; never reused within a generation.</summary>
    public uint Id { get; }

    public nint Address { get; }

    public long Bytes { get; }

    /// <summary>True if [offset, offset + bytes) is not empty and lies inside.</summary>
    public bool Contains(long offset, long bytes) => offset >= 0 && bytes > 0 && bytes <= Bytes && offset <= Bytes - bytes;

    /// <summary>
    /// Deregisters and waits until nothing reads from or writes to the memory. Sends to peers are cut off; own reads into it are waited
    /// for (cancel them first if they are not wanted).
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _table.Remove(this);
        await _uses.CloseAsync();
    }

    /// <summary>True once deregistering has begun: loops that use the memory stop at their next piece.</summary>
    internal bool IsClosing => _uses.IsClosing;

    /// <summary>Holds the memory; false if it is being deregistered. Each true is paired with one <see cref="EndUse"/>.</summary>
    internal bool TryUse() => _uses.TryEnter();

    internal void EndUse() => _uses.Leave();

    /// <summary>The bytes [offset, offset + bytes). The caller holds a use, which is what keeps the pointer alive.</summary>
    internal unsafe Span<byte> Span(long offset, int bytes)
    {
        if (!Contains(offset, bytes))
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, +{bytes}) lies outside region {Id} of {Bytes} bytes.");
        }
        return new Span<byte>((byte*)Address + offset, bytes);
    }
}
