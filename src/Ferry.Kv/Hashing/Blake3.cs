using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ferry.Kv.Hashing;

/// <summary>BLAKE3 in its plain hash mode with 32 bytes of output, after the BLAKE3 paper (section 2).</summary>
/// <remarks>
/// A chain of chunks leaves one input at a time to hash, so this works along one compression (four lanes) and not across chunks.
/// What differs between processors is <see cref="IBlake3Lanes{TSelf}"/>. Allocates nothing; any thread may call it.
/// </remarks>
public static class Blake3
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

    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (Avx512Lanes.IsSupported)
        {
            Hash<Avx512Lanes>(source, destination);
        }
        else
        {
            Hash<PortableLanes>(source, destination);
        }
    }

    /// <summary>The same by the code for processors without AVX-512.</summary>
    internal static void HashPortable(ReadOnlySpan<byte> source, Span<byte> destination) => Hash<PortableLanes>(source, destination);

    private static void Hash<TLanes>(ReadOnlySpan<byte> source, Span<byte> destination) where TLanes : struct, IBlake3Lanes<TLanes>
    {
        Span<uint> value = stackalloc uint[8];
        Subtree<TLanes>(source, 0, Root, value);
        for (var i = 0; i < value.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination[(4 * i)..], value[i]);
        }
    }

    /// <summary>Chaining value of a subtree; the left side takes the largest power of two of chunks, so the depth is at most 22 for 2 GiB.</summary>
    private static void Subtree<TLanes>(ReadOnlySpan<byte> source, ulong chunkIndex, uint rootFlag, Span<uint> value)
        where TLanes : struct, IBlake3Lanes<TLanes>
    {
        if (source.Length <= ChunkBytes)
        {
            Chunk<TLanes>(source, chunkIndex, rootFlag, value);
            return;
        }
        var chunksBeforeLast = (uint)((source.Length - 1) / ChunkBytes);
        var leftBytes = ChunkBytes << BitOperations.Log2(chunksBeforeLast);
        Span<uint> children = stackalloc uint[16];
        Subtree<TLanes>(source[..leftBytes], chunkIndex, 0, children[..8]);
        Subtree<TLanes>(source[leftBytes..], chunkIndex + (ulong)(leftBytes / ChunkBytes), 0, children[8..]);
        Iv.CopyTo(value);
        Compress<TLanes>(value, children, 0, BlockBytes, Parent | rootFlag);
    }

    private static void Chunk<TLanes>(ReadOnlySpan<byte> source, ulong chunkIndex, uint rootFlag, Span<uint> value)
        where TLanes : struct, IBlake3Lanes<TLanes>
    {
        Iv.CopyTo(value);
        Span<uint> block = stackalloc uint[16];
        var flags = ChunkStart;
        for (; source.Length > BlockBytes; source = source[BlockBytes..])
        {
            Read(source[..BlockBytes], block);
            Compress<TLanes>(value, block, chunkIndex, BlockBytes, flags);
            flags = 0;
        }
        Span<byte> padded = stackalloc byte[BlockBytes];
        padded.Clear();
        source.CopyTo(padded);
        Read(padded, block);
        Compress<TLanes>(value, block, chunkIndex, (uint)source.Length, flags | ChunkEnd | rootFlag);
    }

    /// <summary>Replaces <paramref name="value"/> by the first eight words of the compression; the four columns of the state work in one vector.</summary>
    private static void Compress<TLanes>(Span<uint> value, ReadOnlySpan<uint> block, ulong counter, uint blockBytes, uint flags)
        where TLanes : struct, IBlake3Lanes<TLanes>
    {
        var message = TLanes.Load(block);
        var a = Vector128.Create((ReadOnlySpan<uint>)value);
        var b = Vector128.Create((ReadOnlySpan<uint>)value[4..]);
        var c = Vector128.Create(Iv);
        var d = Vector128.Create((uint)counter, (uint)(counter >> 32), blockBytes, flags);
        for (var round = 0; round < Rounds; round++)
        {
            message.NextRound(round, out var x, out var y, out var diagonalX, out var diagonalY);
            Mix<TLanes>(ref a, ref b, ref c, ref d, x, y);
            b = Vector128.Shuffle(b, Vector128.Create(1u, 2, 3, 0));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(3u, 0, 1, 2));
            Mix<TLanes>(ref a, ref b, ref c, ref d, diagonalX, diagonalY);
            b = Vector128.Shuffle(b, Vector128.Create(3u, 0, 1, 2));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(1u, 2, 3, 0));
        }
        (a ^ c).CopyTo(value);
        (b ^ d).CopyTo(value[4..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix<TLanes>(
        ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector128<uint> x, Vector128<uint> y)
        where TLanes : struct, IBlake3Lanes<TLanes>
    {
        a += b + x;
        d = TLanes.RotateRight(d ^ a, 16);
        c += d;
        b = TLanes.RotateRight(b ^ c, 12);
        a += b + y;
        d = TLanes.RotateRight(d ^ a, 8);
        c += d;
        b = TLanes.RotateRight(b ^ c, 7);
    }

    private static void Read(ReadOnlySpan<byte> source, Span<uint> words)
    {
        MemoryMarshal.Cast<byte, uint>(source).CopyTo(words);
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }
}
