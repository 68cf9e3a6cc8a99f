using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ferry.Kv.Hashing;

/// <summary>The default of LMCache's MP daemon: BLAKE3 of the parent's bytes and every token as a big-endian u32. No seed.</summary>
internal sealed class Blake3ChunkHasher : ChunkHasher
{
    private const int StackTokens = 512;

    /// <summary>NONE_HASH: the chain's own step from the integer 0 (eight bytes) over one token 0.</summary>
    private static readonly ChunkHash NoneHash = Chain(new byte[sizeof(long)], [0u]);

    public override string Algorithm => "blake3";

    public override ChunkHash Root => NoneHash;

    /// <summary>A negative id counts as the u32 with the same bits.</summary>
    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens) =>
        Chain(parent.Bytes, MemoryMarshal.Cast<int, uint>(tokens));

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<long> tokens)
    {
        var narrow = new uint[tokens.Length];
        for (var i = 0; i < narrow.Length; i++)
        {
            narrow[i] = tokens[i] is >= 0 and <= uint.MaxValue
                ? (uint)tokens[i]
                : throw new ArgumentOutOfRangeException(nameof(tokens), $"Token {tokens[i]} at position {i} does not fit the 32 bits of {Algorithm}.");
        }
        return Chain(parent.Bytes, narrow);
    }

    private static ChunkHash Chain(ReadOnlySpan<byte> parent, ReadOnlySpan<uint> tokens)
    {
        var inputBytes = parent.Length + tokens.Length * sizeof(uint);
        byte[]? rented = null;
        var input = inputBytes <= StackTokens * sizeof(uint)
            ? stackalloc byte[StackTokens * sizeof(uint)]
            : rented = ArrayPool<byte>.Shared.Rent(inputBytes);
        Span<byte> hash = stackalloc byte[Blake3.HashBytes];

        parent.CopyTo(input);
        var words = MemoryMarshal.Cast<byte, uint>(input[parent.Length..inputBytes]);
        if (BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(tokens, words);
        }
        else
        {
            tokens.CopyTo(words);
        }
        Blake3.Hash(input[..inputBytes], hash);

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
        return new ChunkHash(hash);
    }
}
