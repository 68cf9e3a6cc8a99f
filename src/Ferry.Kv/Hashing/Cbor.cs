using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Ferry.Kv.Hashing;

/// <summary>Writes the canonical CBOR (RFC 8949, 4.2.1: shortest heads) that Python's cbor2 makes of bytes, text, integers and tuples.</summary>
/// <remarks>
/// Every method writes at the start of <c>destination</c> and returns the bytes written. The caller sizes the destination with
/// <see cref="TokenBytes{T}"/> and <see cref="HeadBytes"/>: what does not fit throws, and never writes outside.
/// </remarks>
internal static class Cbor
{
    public const byte Null = 0xF6;

    /// <summary>Most bytes of a head: major type and an eight-byte count.</summary>
    public const int HeadBytes = 9;

    private const int UnsignedMajor = 0;
    private const int NegativeMajor = 1;
    private const int BytesMajor = 2;
    private const int TextMajor = 3;
    private const int ArrayMajor = 4;

    /// <summary>Room that <see cref="WriteTokens{T}"/> may touch for one array: its head, every token at its longest, and one whole word.</summary>
    public static int TokenBytes<T>(int tokenCount) where T : unmanaged, IBinaryInteger<T> =>
        checked(HeadBytes + tokenCount * (default(T).GetByteCount() > sizeof(int) ? HeadBytes : 5) + sizeof(ulong));

    public static int WriteArrayHead(Span<byte> destination, int count) => WriteHead(destination, ArrayMajor, (ulong)count);

    public static int WriteInteger(Span<byte> destination, long value) =>
        value >= 0 ? WriteHead(destination, UnsignedMajor, (ulong)value) : WriteHead(destination, NegativeMajor, (ulong)~value);

    public static int WriteBytes(Span<byte> destination, ReadOnlySpan<byte> value)
    {
        var head = WriteHead(destination, BytesMajor, (ulong)value.Length);
        value.CopyTo(destination[head..]);
        return head + value.Length;
    }

    public static int WriteText(Span<byte> destination, string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        var head = WriteHead(destination, TextMajor, (ulong)bytes);
        return head + Encoding.UTF8.GetBytes(value, destination[head..]);
    }

    /// <summary>Writes an array of integers.</summary>
    public static int WriteTokens<T>(Span<byte> destination, ReadOnlySpan<T> tokens) where T : unmanaged, IBinaryInteger<T>
    {
        var at = WriteArrayHead(destination, tokens.Length);
        foreach (var token in tokens)
        {
            var value = long.CreateTruncating(token);
            if ((ulong)(value - 256) > uint.MaxValue - 256L)
            {
                at += WriteInteger(destination[at..], value);       // one or two bytes, negative, or beyond 32 bits: rare in a prompt
                continue;
            }
            // 256 … 2^32-1: a head and two or four bytes. Which of the two is a coin toss in a large vocabulary, so it is computed, not branched.
            var wide = (int)((ushort.MaxValue - value) >>> 63);     // 1 from 65536 on
            var head = (ulong)(0x19 + wide) << (16 + (wide << 4));
            BinaryPrimitives.WriteUInt64BigEndian(destination[at..], (head | (ulong)value) << (40 - (wide << 4)));
            at += 3 + (wide << 1);
        }
        return at;
    }

    private static int WriteHead(Span<byte> destination, int major, ulong value)
    {
        var type = (byte)(major << 5);
        switch (value)
        {
            case <= 23:
                destination[0] = (byte)(type | (byte)value);
                return 1;
            case <= byte.MaxValue:
                destination[0] = (byte)(type | 24);
                destination[1] = (byte)value;
                return 2;
            case <= ushort.MaxValue:
                destination[0] = (byte)(type | 25);
                BinaryPrimitives.WriteUInt16BigEndian(destination[1..], (ushort)value);
                return 3;
            case <= uint.MaxValue:
                destination[0] = (byte)(type | 26);
                BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)value);
                return 5;
            default:
                destination[0] = (byte)(type | 27);
                BinaryPrimitives.WriteUInt64BigEndian(destination[1..], value);
                return HeadBytes;
        }
    }
}
