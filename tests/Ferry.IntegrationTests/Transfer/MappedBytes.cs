using System.Runtime.InteropServices;
using Ferry.Transfer.Ucx;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Memory of this process that UCX knows, all zero.</summary>
internal sealed unsafe class MappedBytes : IDisposable
{
    private readonly void* _bytes;
    private readonly int _count;

    public MappedBytes(UcxContext context, int count)
    {
        _count = count;
        _bytes = NativeMemory.AlignedAlloc((nuint)count, 4096);
        Memory = context.Map((nint)_bytes, count);
        Span.Clear();
    }

    public UcxMemory Memory { get; }

    public Span<byte> Span => new(_bytes, _count);

    public void Dispose()
    {
        Memory.Dispose();
        NativeMemory.AlignedFree(_bytes);
    }
}
