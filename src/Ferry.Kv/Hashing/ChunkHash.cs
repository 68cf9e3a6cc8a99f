using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

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

    public bool Equals(ChunkHash other) =>
        _byteCount == other._byteCount && ((ReadOnlySpan<byte>)_bytes).SequenceEqual(other._bytes);

    public override bool Equals(object? obj) => obj is ChunkHash other && Equals(other);

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

    public static bool operator ==(ChunkHash left, ChunkHash right) => left.Equals(right);

    public static bool operator !=(ChunkHash left, ChunkHash right) => !left.Equals(right);

    [InlineArray(MaxBytes)]
    private struct Bytes32
    {
        private byte _first;
    }
}
