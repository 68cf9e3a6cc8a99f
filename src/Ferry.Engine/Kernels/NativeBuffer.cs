using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Engine.Kernels;

/// <summary>Native memory aligned to a cache line. Freed exactly once: by Dispose, or by the finalizer of one that was forgotten.</summary>
/// <remarks>The bytes are not cleared. Whoever takes <see cref="Pointer"/> keeps this object reachable while it is used.</remarks>
internal sealed unsafe partial class NativeBuffer : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>One cache line, and one 512-bit vector.</summary>
    public const int Alignment = 64;

    // Linux: <asm-generic/mman-common.h>; the size of a huge page on x86-64 and on arm64 with 4 KiB pages.
    private const int AdviceHugePage = 14;
    private const int HugePageBytes = 2 << 20;

    /// <param name="hugePages">Asks for 2 MiB pages: streaming weights gains some 50 % (docs/measurements/engine.md). Only for memory that will be filled.</param>
    /// <exception cref="OutOfMemoryException">The system refuses <paramref name="byteCount"/> bytes.</exception>
    public NativeBuffer(long byteCount, bool hugePages = false)
        : base(ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ByteCount = byteCount;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)Math.Max(byteCount, Alignment), (nuint)(hugePages ? HugePageBytes : Alignment)));
        long whole = byteCount / HugePageBytes * HugePageBytes;
        if (hugePages && whole > 0 && OperatingSystem.IsLinux())
        {
            // Advice only: where the kernel has no huge pages the memory is as good, just slower, so the result says nothing.
            _ = Advise(handle, (nuint)whole, AdviceHugePage);
        }
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

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint byteCount, int advice);
}
