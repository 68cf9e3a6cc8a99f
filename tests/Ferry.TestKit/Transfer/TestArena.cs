using System.Runtime.InteropServices;
using Ferry.Transfer;
using Ferry.Transfer.SharedMemory;

namespace Ferry.TestKit.Transfer;

/// <summary>Memory at a fixed address, registered with an agent. The agent's disposal deregisters it; the array lives as long as this object.</summary>
public sealed class TestArena
{
    private readonly byte[] _bytes = [];
    private readonly int _byteCount;

    /// <param name="shared">Of at least so many bytes, whose owner disposes it after the agent; null: memory of this process alone.</param>
    public TestArena(ITransferAgent agent, int byteCount, SharedArena? shared = null)
    {
        _byteCount = byteCount;
        if (shared is null)
        {
            _bytes = GC.AllocateArray<byte>(byteCount, pinned: true);
        }
        Region = agent.Register(shared?.Address ?? Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0), byteCount, shared?.Backing);
    }

    public MemoryRegion Region { get; }

    public unsafe Span<byte> Bytes => new((byte*)Region.Address, _byteCount);

    /// <summary>Bytes that a seed repeats, unlike at every offset.</summary>
    public TestArena Fill(int seed)
    {
        new Random(seed).NextBytes(Bytes);
        return this;
    }

    public LeaseRange Range(long offset, long bytes) => new(Region.Id, offset, bytes);

    public LeaseRange All => Range(0, _byteCount);
}
