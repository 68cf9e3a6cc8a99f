namespace Ferry.Engine.Kernels;

/// <summary>All weights of one model: slabs of huge pages that are handed out from front to back and freed together.</summary>
/// <remarks>Slabs rather than one allocation a matrix, because only whole 2 MiB pages are huge. Used by one thread while a model loads.</remarks>
internal sealed unsafe class WeightMemory : IDisposable
{
    // Untouched memory is not resident, so the end of a slab costs at most one huge page: below 2 % at this size.
    private const long SlabBytes = 128L << 20;

    private readonly List<NativeBuffer> _slabs = [];
    private long _left;
    private bool _disposed;

    /// <summary>Bytes handed out.</summary>
    public long ByteCount { get; private set; }

    /// <summary>Memory that lives until this object is disposed, aligned to a cache line, not cleared.</summary>
    public byte* Take(long byteCount)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        long rounded = (byteCount + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;
        if (rounded > _left || _slabs.Count == 0)
        {
            var slab = new NativeBuffer(Math.Max(SlabBytes, rounded), hugePages: true);
            _slabs.Add(slab);
            _left = slab.ByteCount;
        }
        byte* result = _slabs[^1].Pointer + (_slabs[^1].ByteCount - _left);
        _left -= rounded;
        ByteCount += byteCount;
        return result;
    }

    /// <summary>A copy of <paramref name="values"/>.</summary>
    public float* TakeVector(ReadOnlySpan<float> values)
    {
        float* result = (float*)Take((long)values.Length * sizeof(float));
        values.CopyTo(new Span<float>(result, values.Length));
        return result;
    }

    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    public void Dispose()
    {
        _disposed = true;
        foreach (var slab in _slabs)
        {
            slab.Dispose();
        }
    }
}
