using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Engine.Kernels;

/// <summary>Native memory aligned to a cache line. Freed exactly once: by Dispose, or by the finalizer of one that was forgotten.</summary>
/// <remarks>The bytes are not cleared. Whoever takes <see cref="Pointer"/> keeps this object reachable while it is used.</remarks>
internal sealed unsafe class NativeBuffer : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>One cache line, and one 512-bit vector.</summary>
    public const int Alignment = 64;

    /// <exception cref="OutOfMemoryException">The system refuses <paramref name="byteCount"/> bytes.</exception>
    public NativeBuffer(long byteCount)
        : base(ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ByteCount = byteCount;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)Math.Max(byteCount, Alignment), Alignment));
        GC.AddMemoryPressure(Math.Max(byteCount, Alignment));
    }

    public long ByteCount { get; }

    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (byte*)handle;
        }
    }

    public float* Floats => (float*)Pointer;

    /// <summary>A buffer of floats that holds a copy of <paramref name="values"/>.</summary>
    public static NativeBuffer Of(ReadOnlySpan<float> values)
    {
        var buffer = new NativeBuffer((long)values.Length * sizeof(float));
        values.CopyTo(new Span<float>(buffer.Pointer, values.Length));
        return buffer;
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        GC.RemoveMemoryPressure(Math.Max(ByteCount, Alignment));
        return true;
    }
}
