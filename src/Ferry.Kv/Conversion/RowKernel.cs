namespace Ferry.Kv.Conversion;

/// <summary>Copies or casts rows of contiguous elements; the two innermost loops run inside it, so that a short row costs no call.</summary>
internal abstract class RowKernel
{
    /// <summary>Bytes of one source element; 0 if the kernel reads nothing.</summary>
    public abstract int SourceElementBytes { get; }

    public abstract int TargetElementBytes { get; }

    /// <summary>Whether it writes past the caches: then <see cref="StreamingCopyKernel.Fence"/> comes before the bytes are announced.</summary>
    public virtual bool Streams => false;

    /// <summary>
    /// For each step of <paramref name="outer"/> and of <paramref name="inner"/> converts one row of <paramref name="elements"/>.
    /// The caller has proven that every row lies inside both buffers, and that these do not overlap.
    /// </summary>
    public abstract void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner);
}
