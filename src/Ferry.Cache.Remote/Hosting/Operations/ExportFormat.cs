using System.Buffers.Binary;
using System.IO.Hashing;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>The bytes around the records of an export. docs/wire/export.md</summary>
public static class ExportFormat
{
    public const ushort Version = 1;
    public const int HeadBytes = 32;
    public const int FrameBytes = 16;
    public const int TailBytes = 48;

    private const int ChecksumAt = 32; // In the tail: what comes before it is its content.

    private static ReadOnlySpan<byte> Magic => "FERRYEXP"u8;

    private static ReadOnlySpan<byte> RecordMark => "RECORD\0\0"u8;

    private static ReadOnlySpan<byte> TailMark => "FERRYEND"u8;

    public static void WriteHead(Span<byte> head)
    {
        head[..HeadBytes].Clear();
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16LittleEndian(head[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(head[10..], HeadBytes);
        BinaryPrimitives.WriteUInt128LittleEndian(head[16..], XxHash128.HashToUInt128(head[..16]));
    }

    /// <returns>What is wrong, or null.</returns>
    public static string? FindHeadError(ReadOnlySpan<byte> head)
    {
        if (!head[..8].SequenceEqual(Magic))
        {
            return "this is no export of an exchange: it does not begin with FERRYEXP.";
        }
        var version = BinaryPrimitives.ReadUInt16LittleEndian(head[8..]);
        if (version != Version || BinaryPrimitives.ReadUInt16LittleEndian(head[10..]) != HeadBytes)
        {
            return $"the export has version {version}; this program reads version {Version}.";
        }
        return BinaryPrimitives.ReadUInt128LittleEndian(head[16..]) == XxHash128.HashToUInt128(head[..16]) ? null : "the head of the export is damaged.";
    }

    public static void WriteFrame(Span<byte> frame, long recordBytes)
    {
        RecordMark.CopyTo(frame);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], recordBytes);
    }

    /// <summary>What the next 16 bytes begin.</summary>
    /// <returns>The bytes of a record; -1 for the tail; null for neither.</returns>
    public static long? ReadFrame(ReadOnlySpan<byte> frame)
    {
        if (frame[..8].SequenceEqual(TailMark))
        {
            return -1;
        }
        var bytes = BinaryPrimitives.ReadInt64LittleEndian(frame[8..]);
        return frame[..8].SequenceEqual(RecordMark) && bytes >= KvRecord.HeaderBytes ? bytes : null;
    }

    /// <param name="chain">XXH3-128 over the headers of all records, in order.</param>
    public static void WriteTail(Span<byte> tail, long records, UInt128 chain)
    {
        TailMark.CopyTo(tail);
        BinaryPrimitives.WriteInt64LittleEndian(tail[8..], records);
        BinaryPrimitives.WriteUInt128LittleEndian(tail[16..], chain);
        BinaryPrimitives.WriteUInt128LittleEndian(tail[ChecksumAt..], XxHash128.HashToUInt128(tail[..ChecksumAt]));
    }

    /// <returns>What is wrong, or null.</returns>
    public static string? FindTailError(ReadOnlySpan<byte> tail, long records, UInt128 chain)
    {
        if (BinaryPrimitives.ReadUInt128LittleEndian(tail[ChecksumAt..]) != XxHash128.HashToUInt128(tail[..ChecksumAt]))
        {
            return "the tail of the export is damaged.";
        }
        var said = BinaryPrimitives.ReadInt64LittleEndian(tail[8..]);
        return said != records ? $"the export says that it holds {said} records, and holds {records}."
            : BinaryPrimitives.ReadUInt128LittleEndian(tail[16..]) != chain ? "records of the export are missing, changed or in another order." : null;
    }
}
