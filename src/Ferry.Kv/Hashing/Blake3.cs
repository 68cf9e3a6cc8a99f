using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Hashing;

/// <summary>BLAKE3 in its plain hash mode with 32 bytes of output, after the BLAKE3 paper (section 2).</summary>
/// <remarks>
/// A chain of chunks leaves one input at a time to hash, so this works along one compression (four lanes) and not across chunks.
/// Allocates nothing; any thread may call it.
/// </remarks>
internal static class Blake3
{
    public const int HashBytes = 32;

    private const int BlockBytes = 64;
    private const int ChunkBytes = 1024;
    private const int Rounds = 7;

    private const uint ChunkStart = 1;
    private const uint ChunkEnd = 2;
    private const uint Parent = 4;
    private const uint Root = 8;

    private static ReadOnlySpan<uint> Iv =>
        [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19];

    private static ReadOnlySpan<byte> Permutation => [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<uint> value = stackalloc uint[8];
        Subtree(source, 0, Root, value, Avx512F.VL.IsSupported);
        Write(value, destination);
    }

    /// <summary>The same by the scalar path on any processor.</summary>
    internal static void HashScalar(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<uint> value = stackalloc uint[8];
        Subtree(source, 0, Root, value, wide: false);
        Write(value, destination);
    }

    /// <summary>Chaining value of a subtree; the left side takes the largest power of two of chunks, so the depth is at most 22 for 2 GiB.</summary>
    private static void Subtree(ReadOnlySpan<byte> source, ulong chunkIndex, uint rootFlag, Span<uint> value, bool wide)
    {
        if (source.Length <= ChunkBytes)
        {
            Chunk(source, chunkIndex, rootFlag, value, wide);
            return;
        }
        var chunksBeforeLast = (uint)((source.Length - 1) / ChunkBytes);
        var leftBytes = ChunkBytes << BitOperations.Log2(chunksBeforeLast);
        Span<uint> children = stackalloc uint[16];
        Subtree(source[..leftBytes], chunkIndex, 0, children[..8], wide);
        Subtree(source[leftBytes..], chunkIndex + (ulong)(leftBytes / ChunkBytes), 0, children[8..], wide);
        Iv.CopyTo(value);
        Compress(value, children, 0, BlockBytes, Parent | rootFlag, wide);
    }

    private static void Chunk(ReadOnlySpan<byte> source, ulong chunkIndex, uint rootFlag, Span<uint> value, bool wide)
    {
        Iv.CopyTo(value);
        Span<uint> block = stackalloc uint[16];
        var flags = ChunkStart;
        for (; source.Length > BlockBytes; source = source[BlockBytes..])
        {
            Read(source[..BlockBytes], block);
            Compress(value, block, chunkIndex, BlockBytes, flags, wide);
            flags = 0;
        }
        Span<byte> padded = stackalloc byte[BlockBytes];
        padded.Clear();
        source.CopyTo(padded);
        Read(padded, block);
        Compress(value, block, chunkIndex, (uint)source.Length, flags | ChunkEnd | rootFlag, wide);
    }

    /// <summary>Replaces <paramref name="value"/> by the first eight words of the compression.</summary>
    private static void Compress(Span<uint> value, ReadOnlySpan<uint> block, ulong counter, uint blockBytes, uint flags, bool wide)
    {
        if (wide)
        {
            CompressWide(value, block, counter, blockBytes, flags);
        }
        else
        {
            CompressScalar(value, block, counter, blockBytes, flags);
        }
    }

    /// <summary>The four columns of the state in one vector each; AVX-512VL has the rotations and the 16-word permutation.</summary>
    private static void CompressWide(Span<uint> value, ReadOnlySpan<uint> block, ulong counter, uint blockBytes, uint flags)
    {
        var order = Vector512.Create(0u, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15);   // columns first, then diagonals
        var permutation = Vector512.Create(2u, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8);
        var message = Vector512.Create(block);
        var a = Vector128.Create((ReadOnlySpan<uint>)value);
        var b = Vector128.Create((ReadOnlySpan<uint>)value[4..]);
        var c = Vector128.Create(Iv);
        var d = Vector128.Create((uint)counter, (uint)(counter >> 32), blockBytes, flags);
        for (var round = 0; round < Rounds; round++)
        {
            var words = Vector512.Shuffle(message, order);
            message = Vector512.Shuffle(message, permutation);
            var low = words.GetLower();
            var high = words.GetUpper();
            Mix(ref a, ref b, ref c, ref d, low.GetLower(), low.GetUpper());
            b = Vector128.Shuffle(b, Vector128.Create(1u, 2, 3, 0));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(3u, 0, 1, 2));
            Mix(ref a, ref b, ref c, ref d, high.GetLower(), high.GetUpper());
            b = Vector128.Shuffle(b, Vector128.Create(3u, 0, 1, 2));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(1u, 2, 3, 0));
        }
        (a ^ c).CopyTo(value);
        (b ^ d).CopyTo(value[4..]);
    }

    private static void Mix(
        ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector128<uint> x, Vector128<uint> y)
    {
        a += b + x;
        d = Avx512F.VL.RotateRight(d ^ a, 16);
        c += d;
        b = Avx512F.VL.RotateRight(b ^ c, 12);
        a += b + y;
        d = Avx512F.VL.RotateRight(d ^ a, 8);
        c += d;
        b = Avx512F.VL.RotateRight(b ^ c, 7);
    }

    private static void CompressScalar(Span<uint> value, ReadOnlySpan<uint> block, ulong counter, uint blockBytes, uint flags)
    {
        Span<uint> s = [.. value, Iv[0], Iv[1], Iv[2], Iv[3], (uint)counter, (uint)(counter >> 32), blockBytes, flags];
        Span<uint> m = stackalloc uint[16];
        Span<uint> permuted = stackalloc uint[16];
        block.CopyTo(m);
        for (var round = 0; round < Rounds; round++)
        {
            Mix(ref s[0], ref s[4], ref s[8], ref s[12], m[0], m[1]);
            Mix(ref s[1], ref s[5], ref s[9], ref s[13], m[2], m[3]);
            Mix(ref s[2], ref s[6], ref s[10], ref s[14], m[4], m[5]);
            Mix(ref s[3], ref s[7], ref s[11], ref s[15], m[6], m[7]);
            Mix(ref s[0], ref s[5], ref s[10], ref s[15], m[8], m[9]);
            Mix(ref s[1], ref s[6], ref s[11], ref s[12], m[10], m[11]);
            Mix(ref s[2], ref s[7], ref s[8], ref s[13], m[12], m[13]);
            Mix(ref s[3], ref s[4], ref s[9], ref s[14], m[14], m[15]);
            for (var i = 0; i < permuted.Length; i++)
            {
                permuted[i] = m[Permutation[i]];
            }
            permuted.CopyTo(m);
        }
        for (var i = 0; i < 8; i++)
        {
            value[i] = s[i] ^ s[i + 8];
        }
    }

    private static void Mix(ref uint a, ref uint b, ref uint c, ref uint d, uint x, uint y)
    {
        a += b + x;
        d = BitOperations.RotateRight(d ^ a, 16);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 12);
        a += b + y;
        d = BitOperations.RotateRight(d ^ a, 8);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 7);
    }

    private static void Read(ReadOnlySpan<byte> source, Span<uint> words)
    {
        MemoryMarshal.Cast<byte, uint>(source).CopyTo(words);
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }

    private static void Write(ReadOnlySpan<uint> words, Span<byte> destination)
    {
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination[(4 * i)..], words[i]);
        }
    }
}
