using System.Buffers.Binary;
using System.IO.Hashing;

namespace Ferry.Transfer.Wire;

/// <summary>The 32 bytes before every message: little-endian, fixed (docs/wire/side-channel.md).</summary>
/// <param name="Status">None in requests; in replies the reason of a refusal, and then the payload is its text.</param>
/// <param name="Correlation">Pairs a reply with its request; unique among the requests of one connection.</param>
internal readonly record struct FrameHeader(FrameType Type, TransferError Status, ulong Correlation, int PayloadBytes)
{
    public const int HeaderBytes = 32;
    /// <summary>2: writes, transfers in place, notifications, the interval of pings in Hello.</summary>
    public const byte Version = 2;

    /// <summary>No message is longer. 32,768 records of a locate reply fit.</summary>
    public const int PayloadBytesMax = 1 << 20;

    // "FRRY": what other protocols send first (HTTP, TLS, ZMQ, RESP) never begins so.
    private const uint Magic = 0x59525246;
    private const int CheckedBytes = 24;

    /// <summary>Writes header and payload; <paramref name="frame"/> has <see cref="HeaderBytes"/> + the payload's bytes.</summary>
    public static void Write(Span<byte> frame, FrameType type, TransferError status, ulong correlation, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        frame[4] = Version;
        frame[5] = (byte)type;
        BinaryPrimitives.WriteUInt16LittleEndian(frame[6..], (ushort)status);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[8..], correlation);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], payload.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame[20..], 0);
        payload.CopyTo(frame[HeaderBytes..]);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[CheckedBytes..], Checksum(frame, payload));
    }

    /// <summary>Header and payload as one array.</summary>
    public static byte[] Encode(FrameType type, TransferError status, ulong correlation, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[HeaderBytes + payload.Length];
        Write(frame, type, status, correlation, payload);
        return frame;
    }

    /// <summary>Reads and checks everything but the checksum, which needs the payload. Returns the error, or null.</summary>
    public static string? TryRead(ReadOnlySpan<byte> bytes, int payloadBytesMax, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < HeaderBytes)
        {
            return $"A frame header has {HeaderBytes} bytes, not {bytes.Length}.";
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) is not Magic and var magic)
        {
            return $"A frame begins with 0x{Magic:x8}, not 0x{magic:x8}: this is not Ferry's side channel.";
        }
        if (bytes[4] != Version)
        {
            return $"The peer speaks version {bytes[4]} of the side channel, this process version {Version}. Run one release on both.";
        }
        if (!Enum.IsDefined((FrameType)bytes[5]))
        {
            return $"Frame type {bytes[5]} is unknown.";
        }
        var payloadBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]);
        if (payloadBytes > payloadBytesMax)
        {
            return $"A payload of {payloadBytes} bytes is over the limit of {payloadBytesMax}.";
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) != 0)
        {
            return "Bytes 20 to 23 of a frame header are reserved and must be zero.";
        }
        header = new FrameHeader(
            (FrameType)bytes[5], (TransferError)BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), (int)payloadBytes);
        return null;
    }

    /// <summary>Whether the checksum in the header is that of header and payload.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) =>
        BinaryPrimitives.ReadUInt64LittleEndian(header[CheckedBytes..]) == Checksum(header, payload);

    /// <summary>True when <see cref="TryRead"/> refused only the version: the peer is Ferry, but not this release.</summary>
    public static bool IsOtherVersion(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderBytes && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic && bytes[4] != Version;

    // The header's hash seeds the payload's: one pass each, no copy.
    private static ulong Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) =>
        XxHash3.HashToUInt64(payload, (long)XxHash3.HashToUInt64(header[..CheckedBytes]));
}
