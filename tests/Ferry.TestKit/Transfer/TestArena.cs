using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Transfer;
using Ferry.Transfer.SharedMemory;

namespace Ferry.TestKit.Transfer;

/// <summary>Memory at a fixed address, registered with an agent. The agent's disposal deregisters it; the array lives as long as the agent, which others may read it through when nobody holds this object any more.</summary>
public sealed class TestArena
{
    private static readonly ConditionalWeakTable<ITransferAgent, ConcurrentBag<byte[]>> Kept = [];

    private readonly int _byteCount;

    /// <param name="shared">Of at least so many bytes, whose owner disposes it after the agent; null: memory of this process alone.</param>
    public TestArena(ITransferAgent agent, int byteCount, SharedArena? shared = null)
    {
        _byteCount = byteCount;
        Region = agent.Register(shared?.Address ?? Allocate(agent, byteCount), byteCount, shared?.Backing);
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

    private static nint Allocate(ITransferAgent agent, int byteCount)
    {
        var bytes = GC.AllocateArray<byte>(byteCount, pinned: true);
        Kept.GetOrCreateValue(agent).Add(bytes);
        return Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0);
    }
}
