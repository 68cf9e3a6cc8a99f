using System.Buffers;
using System.Runtime.InteropServices;
using Ferry.Cache.Arena;

namespace Ferry.Benchmarks;

/// <summary>Native memory at a multiple of 4096 (of 2 MiB with huge pages asked for), filled with repeatable noise, as the exchange's arena has it.</summary>
internal sealed unsafe class AlignedBytes : MemoryManager<byte>
{
    private readonly int _bytes;

    public AlignedBytes(long bytes, int seed, bool hugePages = false)
    {
        _bytes = checked((int)bytes);
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, hugePages ? 2u << 20 : 4096);
        if (hugePages && MemoryAdvice.TryHugePages(Pointer, (nuint)bytes) != HugePages.Advised)
        {
            throw new InvalidOperationException("The system refuses huge pages.");
        }
        new Random(seed).NextBytes(GetSpan());
    }

    public byte* Pointer { get; private set; }

    public override Span<byte> GetSpan() => new(Pointer, _bytes);

    public override MemoryHandle Pin(int elementIndex = 0) => new(Pointer + elementIndex);

    public override void Unpin()
    {
    }

    public void Dispose() => ((IDisposable)this).Dispose();

    protected override void Dispose(bool disposing)
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
