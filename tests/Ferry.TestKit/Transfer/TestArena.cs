using System.Runtime.InteropServices;
using Ferry.Transfer;

namespace Ferry.TestKit.Transfer;

/// <summary>Memory at a fixed address, registered with an agent. The agent's disposal deregisters it; the array lives as long as this object.</summary>
public sealed class TestArena
{
    private readonly byte[] _bytes;

    public TestArena(ITransferAgent agent, int byteCount)
    {
        _bytes = GC.AllocateArray<byte>(byteCount, pinned: true);
        Region = agent.Register(Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0), byteCount);
    }

    public MemoryRegion Region { get; }

    public Span<byte> Bytes => _bytes;

    /// <summary>Bytes that a seed repeats, unlike at every offset.</summary>
    public TestArena Fill(int seed)
    {
        new Random(seed).NextBytes(_bytes);
        return this;
    }

    public LeaseRange Range(long offset, long bytes) => new(Region.Id, offset, bytes);

    public LeaseRange All => Range(0, _bytes.Length);
}
