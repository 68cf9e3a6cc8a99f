using System.Runtime.InteropServices;
using System.Threading.Channels;
using Ferry.Transfer.SharedMemory;

namespace Ferry.Transfer.Handover;

/// <summary>Registered memory in equal slots, through which windows travel.</summary>
internal sealed class StagingMemory : IAsyncDisposable
{
    // A page: no two slots share one, and rows that begin a slot are whole cache lines.
    private const int Alignment = 4096;

    private readonly Channel<int> _free;
    private readonly SharedArena? _arena;
    private readonly nint _memory; // freed by DisposeAsync, once nothing uses the region
    private readonly int _strideBytes;
    private int _disposed;

    public StagingMemory(ITransferAgent agent, int slotBytes, int slotCount)
    {
        SlotBytes = slotBytes;
        _strideBytes = (slotBytes + Alignment - 1) / Alignment * Alignment;
        var bytes = (long)_strideBytes * slotCount;
        _arena = TryShare(bytes);
        _memory = _arena?.Address ?? Allocate(bytes);
        _free = Channel.CreateBounded<int>(slotCount);
        for (var slot = 0; slot < slotCount; slot++)
        {
            _free.Writer.TryWrite(slot);
        }
        try
        {
            Region = agent.Register(_memory, bytes, _arena?.Backing);
        }
        catch
        {
            Free();
            throw;
        }
    }

    public MemoryRegion Region { get; }

    public int SlotBytes { get; }

    /// <summary>A slot of one's own until <see cref="Return"/>; waits for one.</summary>
    public ValueTask<int> RentAsync(CancellationToken cancellationToken) => _free.Reader.ReadAsync(cancellationToken);

    public void Return(int slot) => _free.Writer.TryWrite(slot);

    /// <summary>Of a slot in the region.</summary>
    public long OffsetOf(int slot) => (long)slot * _strideBytes;

    public nint AddressOf(int slot) => _memory + (nint)OffsetOf(slot);

    /// <summary>Only once no slot is in use by its owner; waits until no peer uses the memory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await Region.DisposeAsync();
            Free();
        }
    }

    /// <summary>Memory that readers on this host can map; null where the system has none, and then they copy or receive.</summary>
    private static SharedArena? TryShare(long bytes)
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

    private static unsafe nint Allocate(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);

    private unsafe void Free()
    {
        if (_arena is not null)
        {
            _arena.Dispose();
        }
        else
        {
            NativeMemory.AlignedFree((void*)_memory);
        }
    }
}
