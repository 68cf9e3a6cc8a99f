namespace Ferry.Transfer;

/// <summary>Native memory that an agent knows. The caller owns the memory; the agent owns the registration until disposed.</summary>
/// <remarks>Every send from it and every receive into it holds a use, and deregistering waits for those: a pointer is never used after it.</remarks>
public sealed class MemoryRegion : IAsyncDisposable
{
    internal const string HostMemory = "host";

    private readonly RegionTable _table;
    private readonly UseGate _uses = new();

    internal MemoryRegion(RegionTable table, uint id, nint address, long bytes, SharedBacking? backing)
    {
        _table = table;
        Id = id;
        Address = address;
        Bytes = bytes;
        Backing = backing;
    }

    /// <summary>The name under which peers ask for it; never reused within a generation.</summary>
    public uint Id { get; }

    public nint Address { get; }

    public long Bytes { get; }

    /// <summary>The file behind the bytes, if other processes may map it.</summary>
    public SharedBacking? Backing { get; }

    /// <summary>As UCX names it: <c>host</c>, or an accelerator's, such as <c>rocm</c>. What no UCX has looked at is taken for host memory.</summary>
    public string MemoryType { get; internal set; } = HostMemory;

    /// <summary>Whether the CPU can read and write the bytes. Those of an accelerator move by UCX alone, and no checksum of them is computed.</summary>
    public bool IsHost => MemoryType == HostMemory;

    /// <summary>True if [offset, offset + bytes) is not empty and lies inside.</summary>
    public bool Contains(long offset, long bytes) => offset >= 0 && bytes > 0 && bytes <= Bytes && offset <= Bytes - bytes;

    /// <summary>
    /// Deregisters and waits until nothing reads from or writes to the memory. Transfers of peers are cut off; own ones are waited
    /// for (cancel them first if they are not wanted).
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        var isFirst = _table.Remove(this);
        await _uses.CloseAsync();
        if (isFirst)
        {
            _table.Forget(this);
        }
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
        if (!IsHost)
        {
            throw new InvalidOperationException($"Region {Id} is {MemoryType} memory, which the CPU cannot reach.");
        }
        return new Span<byte>((byte*)Address + offset, bytes);
    }
}
