using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Ferry.Router.Hosting;

/// <summary>
/// Blocks for the bytes of client connections. The server's own are 4 KB and take one system call each, which for a prompt of 220 KB is most of
/// what reading it costs (docs/measurements/router.md). A silent connection holds none.
/// </summary>
internal sealed class ConnectionMemory : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 128 * 1024;

    /// <summary>Blocks that wait to be used again, 32 MiB; more are left to the collector.</summary>
    private const int MaxFree = 256;

    private readonly Lock _changing = new();

    // The last one back is the next one out: the processor's caches still have it.
    private readonly Stack<Block> _free = new();

    public override int MaxBufferSize => BlockBytes;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new ConnectionMemory();

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        lock (_changing)
        {
            if (_free.TryPop(out var block))
            {
                block.Taken();
                return block;
            }
        }
        return new Block(this);
    }

    protected override void Dispose(bool disposing)
    {
        lock (_changing) { _free.Clear(); }
    }

    private void Return(Block block)
    {
        lock (_changing)
        {
            if (_free.Count < MaxFree) { _free.Push(block); }
        }
    }

    private sealed class Block(ConnectionMemory pool) : IMemoryOwner<byte>
    {
        private int _isTaken = 1;

        /// <summary>Pinned for good, so that a socket need not pin it for each call.</summary>
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

        public void Taken() => Volatile.Write(ref _isTaken, 1);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isTaken, 0) == 1)
            {
                pool.Return(this);
            }
        }
    }
}
