using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Records;

/// <summary>XXH3-128 with seed 0 of bytes that lie in one piece and come in order: each part is read while the processor's cache still holds it.</summary>
/// <remarks>
/// After the specification of XXH3 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). The bytes stay where they are, so nothing is buffered. With AVX-512 a stripe
/// is one vector; other processors take System.IO.Hashing's code, whose widest vector has 32 bytes. One owner.
/// </remarks>
public sealed class RecordChecksum
{
    private const int StripeBytes = 64;
    private const int StripesPerBlock = 16; // (Secret.Length - StripeBytes) / SecretStep
    private const int SecretStep = 8;
    private const int AheadBytes = 2048; // The kernel's copy leaves what a socket gave in the last cache, and the processor's own prefetching stops at each page.
    private const int ShortBytesMax = 240; // Up to here XXH3 works in another way.
    private const int LastStripeSecret = 192 - StripeBytes - 7;
    private const int MergeSecret = 11;

    private const ulong Prime32A = 0x9E3779B1;
    private const ulong Prime64A = 0x9E3779B185EBCA87;
    private const ulong Prime64B = 0xC2B2AE3D27D4EB4F;

    private readonly XxHash128? _portable = IsWide ? null : new XxHash128();
    private Vector512<ulong> _sums = Start;
    private int _taken; // Bytes in the sums: whole stripes.

    /// <summary>Whether this processor has the wide vectors.</summary>
    public static bool IsWide => Vector512.IsHardwareAccelerated && Avx512F.IsSupported;

    private static Vector512<ulong> Start => Vector512.Create(
        0xC2B2AE3D, Prime64A, Prime64B, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x85EBCA77, 0x27D4EB2F165667C5, Prime32A);

    /// <summary>XXH3's own secret.</summary>
    private static ReadOnlySpan<byte> Secret =>
    [
        0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb,
        0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
        0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb,
        0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
        0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31,
        0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
        0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc,
        0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
    ];

    public static UInt128 Of(ReadOnlySpan<byte> bytes)
    {
        if (!IsWide || bytes.Length <= ShortBytesMax)
        {
            return XxHash128.HashToUInt128(bytes);
        }
        var sums = Start;
        Take(ref sums, 0, bytes);
        return End(sums, bytes);
    }

    /// <param name="arrived">All bytes that are in place by now: those of the call before, and more.</param>
    public void Advance(ReadOnlySpan<byte> arrived)
    {
        if (_portable is not null)
        {
            _portable.Append(arrived[_taken..]);
            _taken = arrived.Length;
            return;
        }
        _taken = Take(ref _sums, _taken, arrived);
    }

    /// <param name="whole">All bytes, over every one of which <see cref="Advance"/> went.</param>
    public UInt128 End(ReadOnlySpan<byte> whole) =>
        _portable is not null ? _portable.GetCurrentHashAsUInt128() : whole.Length <= ShortBytesMax ? XxHash128.HashToUInt128(whole) : End(_sums, whole);

    /// <summary>Takes whole stripes, never the very last byte: the stripe that ends with it is taken another way.</summary>
    /// <returns>Bytes taken in all.</returns>
    private static int Take(ref Vector512<ulong> sums, int taken, ReadOnlySpan<byte> arrived)
    {
        ref var secret = ref MemoryMarshal.GetReference(Secret);
        var local = sums;
        while (taken + StripeBytes < arrived.Length)
        {
            var stripe = taken / StripeBytes % StripesPerBlock;
            // All of these lie within the span: the last ends at most one byte before its end.
            var count = Math.Min(StripesPerBlock - stripe, (arrived.Length - 1 - taken) / StripeBytes);
            ref var bytes = ref MemoryMarshal.GetReference(arrived.Slice(taken, count * StripeBytes));
            var ahead = Math.Min(AheadBytes, arrived.Length - taken - count * StripeBytes); // Not into what lies behind the bytes: of small records that would be half as much again.
            for (var at = 0; at < count; at++)
            {
                Prefetch(ref bytes, (at * StripeBytes) + ahead);
                local = Add(
                    local, Vector512.LoadUnsafe(ref bytes, (nuint)(at * StripeBytes)).AsUInt64(), Vector512.LoadUnsafe(ref secret, (nuint)((stripe + at) * SecretStep)).AsUInt64());
            }
            taken += count * StripeBytes;
            if (stripe + count == StripesPerBlock)
            {
                local = (local ^ (local >>> 47) ^ Vector512.LoadUnsafe(ref secret, StripesPerBlock * SecretStep).AsUInt64()) * Vector512.Create(Prime32A);
            }
        }
        sums = local;
        return taken;
    }

    private static UInt128 End(Vector512<ulong> sums, ReadOnlySpan<byte> whole)
    {
        sums = Add(sums, Vector512.Create(whole[^StripeBytes..]).AsUInt64(), Vector512.Create(Secret.Slice(LastStripeSecret, StripeBytes)).AsUInt64());
        var length = (ulong)whole.Length;
        return new UInt128(
            Merge(sums, Secret[(Secret.Length - StripeBytes - MergeSecret)..], ~(length * Prime64B)), Merge(sums, Secret[MergeSecret..], length * Prime64A));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Add(Vector512<ulong> sums, Vector512<ulong> data, Vector512<ulong> secret)
    {
        var keyed = data ^ secret;
        // The product of the two halves of each 64 bits, and the neighbour's data.
        return sums + (Avx512F.Multiply(keyed.AsUInt32(), (keyed >>> 32).AsUInt32()) + Avx512F.Shuffle(data.AsUInt32(), 0b01_00_11_10).AsUInt64());
    }

    /// <summary>A hint only: an address behind the bytes, or one that the collector has moved away from, does no harm.</summary>
    private static unsafe void Prefetch(ref byte bytes, int offset) => Sse.Prefetch0((byte*)Unsafe.AsPointer(ref bytes) + offset);

    private static ulong Fold(ulong first, ulong second) => Math.BigMul(first, second, out var low) ^ low;

    private static ulong Merge(Vector512<ulong> sums, ReadOnlySpan<byte> secret, ulong start)
    {
        var keyed = sums ^ Vector512.Create(secret[..StripeBytes]).AsUInt64();
        var result = start + Fold(keyed[0], keyed[1]) + Fold(keyed[2], keyed[3]) + Fold(keyed[4], keyed[5]) + Fold(keyed[6], keyed[7]);
        result = (result ^ (result >> 37)) * 0x165667919E3779F9;
        return result ^ (result >> 32);
    }
}
