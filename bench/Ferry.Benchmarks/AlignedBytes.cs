using System.Buffers;
using System.Runtime.InteropServices;

namespace Ferry.Benchmarks;

/// <summary>Native memory at a multiple of 4096, filled with repeatable noise, as the exchange's arena has it.</summary>
internal sealed unsafe class AlignedBytes : MemoryManager<byte>
{
    private readonly int _bytes;

    public AlignedBytes(long bytes, int seed)
    {
        _bytes = checked((int)bytes);
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
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
