using System.Buffers.Binary;
using System.Text;
using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange.Push;

/// <summary>What exchanges tell each other in notifications of the side channel (docs/wire/push.md). Bytes that are not exactly one of them are no notice.</summary>
internal static class PushNotice
{
    private const byte Version = 1;
    private const byte KindWritten = 1;
    private const byte KindHandedOver = 2;
    private const int HeadBytes = 4;
    private const int WrittenBytes = HeadBytes + sizeof(ulong);
    private const int HandedOverBytes = HeadBytes + sizeof(ulong) + sizeof(ulong) + 4; // and the medium's name
    private const int MediumBytesMax = 32;
    private static readonly TimeSpan TimeMax = TimeSpan.FromDays(1); // No load has a longer deadline.

    /// <summary>All records of the lease are in place; nothing more is written under it.</summary>
    public static byte[] EncodeWritten(ulong leaseId)
    {
        var notice = Begin(KindWritten, WrittenBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(notice.AsSpan(HeadBytes), leaseId);
        return notice;
    }

    public static bool TryReadWritten(ReadOnlySpan<byte> notice, out ulong leaseId)
    {
        var isOne = notice.Length == WrittenBytes && notice is [Version, KindWritten, 0, 0, ..];
        leaseId = isOne ? BinaryPrimitives.ReadUInt64LittleEndian(notice[HeadBytes..]) : 0;
        return isOne;
    }

    public static byte[] Encode(HandedOver handedOver)
    {
        var medium = Encoding.ASCII.GetBytes(handedOver.Medium);
        var notice = Begin(KindHandedOver, HandedOverBytes + medium.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(notice.AsSpan(HeadBytes), (ulong)handedOver.Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(notice.AsSpan(HeadBytes + 8), (ulong)handedOver.Time.TotalMicroseconds);
        (notice[HeadBytes + 16], notice[HeadBytes + 17]) = ((byte)handedOver.Mode, (byte)medium.Length);
        medium.CopyTo(notice.AsSpan(HandedOverBytes));
        return notice;
    }

    public static HandedOver? TryReadHandedOver(ReadOnlySpan<byte> notice)
    {
        if (notice.Length < HandedOverBytes || notice is not [Version, KindHandedOver, 0, 0, ..] || notice[(HandedOverBytes - 2)..HandedOverBytes] is not [0, 0])
        {
            return null;
        }
        var bytes = BinaryPrimitives.ReadUInt64LittleEndian(notice[HeadBytes..]);
        var microseconds = BinaryPrimitives.ReadUInt64LittleEndian(notice[(HeadBytes + 8)..]);
        var mode = (HandoverMode)notice[HeadBytes + 16];
        var medium = notice[HandedOverBytes..];
        return mode is HandoverMode.Pull or HandoverMode.Push or HandoverMode.PushLayerwise
            && notice[HeadBytes + 17] == medium.Length && medium.Length is >= 1 and <= MediumBytesMax && !medium.ContainsAnyExceptInRange((byte)'!', (byte)'~')
            && bytes <= long.MaxValue && microseconds <= (ulong)TimeMax.TotalMicroseconds
                ? new HandedOver(mode, (long)bytes, TimeSpan.FromMicroseconds(microseconds), Encoding.ASCII.GetString(medium))
                : null;
    }

    private static byte[] Begin(byte kind, int byteCount)
    {
        var notice = new byte[byteCount];
        (notice[0], notice[1]) = (Version, kind);
        return notice;
    }
}
