using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Cache.Arena;

/// <summary>Asks the processor for memory that is about to be read, so that the waits for a whole chain overlap.</summary>
internal static unsafe class CacheLines
{
    /// <summary>So many chunks before its turn a chunk's memory is asked for: working on them takes several times as long as the memory needs.</summary>
    public const int Ahead = 8;

    private const int LineBytes = 64;

    /// <summary>A hint only: nothing is read, so an address that the collector has moved away from does no harm.</summary>
    public static void Prefetch<T>(ref readonly T value)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.AsRef(in value)));
        }
    }

    /// <summary>Asks for every line of <paramref name="bytes"/>, which are about to be written.</summary>
    public static void Prefetch(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += LineBytes)
        {
            Prefetch(in bytes[at]);
        }
    }
}
