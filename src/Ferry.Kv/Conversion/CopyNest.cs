using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ferry.Kv.Conversion;

/// <summary>A nest of loops around a row kernel, with every pair of loops merged that runs on without a gap in source and target.</summary>
internal sealed class CopyNest
{
    private readonly RowKernel _kernel;
    private readonly long _sourceOffset;
    private readonly long _targetOffset;
    private readonly nint _elements;

    /// <summary>Outermost first; the kernel runs the two after these.</summary>
    private readonly NestDimension[] _outer;
    private readonly NestDimension _middle;
    private readonly NestDimension _inner;

    /// <summary>0: the kernel's calls read on without a gap, or their bytes go through the caches anyway.</summary>
    private readonly long _prefetchBytes;

    /// <param name="elements">Contiguous elements of one row in source and target.</param>
    /// <param name="loops">In any order: the nest runs them as suits the kernel's stores.</param>
    public CopyNest(RowKernel kernel, long sourceOffset, long targetOffset, long elements, IEnumerable<NestDimension> loops)
    {
        var ordered = loops.Where(loop => loop.Count > 1).OrderByDescending(loop => OrderKey(kernel, loop)).ToList();
        while (ordered.Count > 0 && ordered[^1].SourceStride == elements * kernel.SourceElementBytes
            && ordered[^1].TargetStride == elements * kernel.TargetElementBytes)
        {
            elements *= ordered[^1].Count;
            ordered.RemoveAt(ordered.Count - 1);
        }
        for (var index = ordered.Count - 2; index >= 0; index--)
        {
            var (outer, inner) = (ordered[index], ordered[index + 1]);
            if (outer.SourceStride == inner.SourceStride * inner.Count && outer.TargetStride == inner.TargetStride * inner.Count)
            {
                ordered[index] = inner with { Count = inner.Count * outer.Count };
                ordered.RemoveAt(index + 1);
            }
        }
        _kernel = kernel;
        _sourceOffset = sourceOffset;
        _targetOffset = targetOffset;
        _elements = (nint)elements;
        SourceEndBytes = sourceOffset + elements * kernel.SourceElementBytes + ordered.Sum(loop => (loop.Count - 1) * loop.SourceStride);
        TargetEndBytes = targetOffset + elements * kernel.TargetElementBytes + ordered.Sum(loop => (loop.Count - 1) * loop.TargetStride);
        _inner = ordered.Count > 0 ? ordered[^1] : NestDimension.Once;
        _middle = ordered.Count > 1 ? ordered[^2] : NestDimension.Once;
        _outer = ordered.Count > 2 ? [.. ordered[..^2]] : [];
        var callBytes = elements * kernel.SourceElementBytes + (_middle.Count - 1) * _middle.SourceStride + (_inner.Count - 1) * _inner.SourceStride;
        _prefetchBytes = kernel.Streams && _outer is [.., var last] && last.SourceStride > callBytes ? Math.Min(callBytes, StreamingCopyKernel.AheadBytes) : 0;
    }

    public bool Streams => _kernel.Streams;

    /// <summary>One past the last source byte that is read; strides are never negative.</summary>
    public long SourceEndBytes { get; }

    /// <summary>One past the last target byte that is written.</summary>
    public long TargetEndBytes { get; }

    /// <summary>
    /// What decides how far out a loop stands. Streaming stores cost the same wherever they go, so the source is read from its front to its
    /// end. Ordinary stores read their line first: the loops that are short steps on either side go inside, so that both sides stay in the
    /// cache while they are half used (measured against target order, source order and product: docs/measurements/conversion.md).
    /// </summary>
    private static long OrderKey(RowKernel kernel, NestDimension loop) => kernel switch
    {
        { Streams: true } => loop.SourceStride,
        ZeroKernel => loop.TargetStride,
        _ => Math.Min(loop.SourceStride, loop.TargetStride),
    };

    public void Run(ReadOnlySpan<byte> source, Span<byte> target) =>
        Run(ref MemoryMarshal.GetReference(source), source.Length, ref MemoryMarshal.GetReference(target), target.Length);

    /// <summary>As the other, for buffers of any length.</summary>
    public void Run(ref byte source, long sourceBytes, ref byte target, long targetBytes)
    {
        // The kernels check nothing: this is where the nest's extent, fixed when it was planned, meets the buffers.
        if (SourceEndBytes > sourceBytes || TargetEndBytes > targetBytes) { throw new UnreachableException("A nest reaches outside its buffers."); }
        ref var sourceStart = ref Unsafe.AddByteOffset(ref source, (nint)_sourceOffset);
        ref var targetStart = ref Unsafe.AddByteOffset(ref target, (nint)_targetOffset);
        if (_outer.Length == 0)
        {
            _kernel.Run(ref sourceStart, ref targetStart, _elements, _middle, _inner);
            return;
        }
        RunOuter(ref sourceStart, ref targetStart, 0);
    }

    private void RunOuter(ref byte source, ref byte target, int depth)
    {
        ref readonly var loop = ref _outer[depth];
        var last = depth == _outer.Length - 1;
        for (nint step = 0; step < loop.Count; step++)
        {
            ref var sourceStep = ref Unsafe.AddByteOffset(ref source, (nint)(step * loop.SourceStride));
            ref var targetStep = ref Unsafe.AddByteOffset(ref target, (nint)(step * loop.TargetStride));
            if (last)
            {
                if (_prefetchBytes > 0 && step + 1 < loop.Count) { Prefetch(ref Unsafe.AddByteOffset(ref sourceStep, (nint)loop.SourceStride)); }
                _kernel.Run(ref sourceStep, ref targetStep, _elements, _middle, _inner);
            }
            else { RunOuter(ref sourceStep, ref targetStep, depth + 1); }
        }
    }

    /// <summary>Asks for what the kernel reads first in its next call: where it lies behind a gap, the processor's own look-ahead stops short of it.</summary>
    private unsafe void Prefetch(ref byte source)
    {
        fixed (byte* from = &source)
        {
            StreamingCopyKernel.Prefetch(from, (nint)_prefetchBytes);
        }
    }
}
