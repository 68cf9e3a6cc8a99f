using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ferry.Kv.Hashing;

/// <summary>Hash of one chunk or block chained over all tokens before it: 8 to 32 bytes, compared as bytes.</summary>
public readonly struct ChunkHash : IEquatable<ChunkHash>
{
    public const int MaxBytes = 32;

    private readonly Bytes32 _bytes;
    private readonly byte _byteCount;

    /// <exception cref="ArgumentException">Not 1 to 32 bytes.</exception>
    public ChunkHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is 0 or > MaxBytes)
        {
            throw new ArgumentException($"A chunk hash has 1 to {MaxBytes} bytes, not {bytes.Length}.", nameof(bytes));
        }
        bytes.CopyTo(_bytes);
        _byteCount = (byte)bytes.Length;
    }

    public int ByteCount => _byteCount;

    /// <summary>The bytes where they lie; valid as long as this value is.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)_bytes)[.._byteCount];

    public void CopyTo(Span<byte> destination) => Bytes.CopyTo(destination);

    public byte[] ToArray() => Bytes.ToArray();

    public bool Equals(ChunkHash other) => this == other;

    public override bool Equals(object? obj) => obj is ChunkHash other && Equals(other);

    /// <summary>64 bits for a table whose keys come from outside: who does not know the seed cannot make up hashes that fall together. The folding is that of XXH3.</summary>
    public ulong Scatter(ulong seed)
    {
        var words = MemoryMarshal.Cast<byte, ulong>((ReadOnlySpan<byte>)_bytes); // Zeros behind a short hash.
        return Fold(words[0] ^ (0xbe4b_a423_396c_feb8 + seed), words[1] ^ (0x1cad_21f7_2c81_017c - seed))
            + Fold(words[2] ^ (0xdb97_9083_e96d_d4de + seed), words[3] ^ (0x1f67_b3b7_a4a4_4072 - seed)) + _byteCount;
    }

    /// <summary>The first bytes: a hash is already well mixed.</summary>
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <summary>Lowercase hex.</summary>
    public override string ToString() => Convert.ToHexStringLower(Bytes);

    /// <summary>Reads 2 to 64 hex digits of either case, or null.</summary>
    public static ChunkHash? TryParse(ReadOnlySpan<char> hex)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        return hex.Length is > 0 and <= 2 * MaxBytes
            && Convert.FromHexString(hex, bytes, out _, out var byteCount) == OperationStatus.Done
                ? new ChunkHash(bytes[..byteCount])
                : null;
    }

    public static bool operator ==(in ChunkHash left, in ChunkHash right) =>
        left._byteCount == right._byteCount && ((ReadOnlySpan<byte>)left._bytes).SequenceEqual(right._bytes);

    public static bool operator !=(in ChunkHash left, in ChunkHash right) => !(left == right);

    private static ulong Fold(ulong left, ulong right) => Math.BigMul(left, right, out var low) ^ low;

    [InlineArray(MaxBytes)]
    private struct Bytes32
    {
        private byte _first;
    }
}
