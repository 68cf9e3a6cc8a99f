using System.Buffers.Binary;
using System.Numerics;

namespace Ferry.Kv.Hashing;

/// <summary>SipHash with one round a word and three at the end: CPython's hash of text since 3.11 (Python/pyhash.c).</summary>
internal static class SipHash13
{
    public static ulong Hash(ulong key0, ulong key1, ReadOnlySpan<byte> source)
    {
        var v0 = key0 ^ 0x736F6D6570736575;   // "somepseudorandomlygeneratedbytes", SipHash's own constants
        var v1 = key1 ^ 0x646F72616E646F6D;
        var v2 = key0 ^ 0x6C7967656E657261;
        var v3 = key1 ^ 0x7465646279746573;
        var last = (ulong)source.Length << 56;
        for (; source.Length >= 8; source = source[8..])
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(source);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }
        for (var i = 0; i < source.Length; i++)
        {
            last |= (ulong)source[i] << (8 * i);
        }
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xFF;
        for (var i = 0; i < 3; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
