using System.Buffers.Binary;
using System.IO.Hashing;

namespace Ferry.Cache.Tiers.Disk.Format;

/// <summary>First page of a segment file: which segment it is, and where its index begins. docs/wire/disk.md, golden bytes there.</summary>
/// <param name="Number">Also in the file's name.</param>
/// <param name="Id">Drawn when the segment is made; every checksum in its index depends on it.</param>
internal sealed record SegmentHeader(long Number, Guid Id, long CreatedUnixSeconds)
{
    /// <summary>Bytes of the page that the header takes; checkpoints stand behind it, each in a sector of its own.</summary>
    public const int HeaderBytes = 512;

    public const ushort Version = 1;

    private const int ChecksumOffset = HeaderBytes - 16;

    public static ReadOnlySpan<byte> Magic => "FERRYSEG"u8;

    /// <summary>What the checksums of this segment's entries and checkpoints start from.</summary>
    public ulong Seed { get; } = BinaryPrimitives.ReadUInt64LittleEndian(Id.ToByteArray());

    public void Write(Span<byte> page)
    {
        var bytes = page[..HeaderBytes];
        bytes.Clear();
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[10..], HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], DiskPages.PageBytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], CreatedUnixSeconds);
        Id.TryWriteBytes(bytes[32..]);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[48..], SegmentIndex.FirstBlockPage);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[52..], SegmentIndex.FirstBlockBytes);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[ChecksumOffset..], XxHash128.HashToUInt128(bytes[..ChecksumOffset]));
    }

    /// <summary>Reads any bytes; null for what is no header of this version.</summary>
    /// <param name="otherVersion">True when it is one of another version.</param>
    public static SegmentHeader? TryRead(ReadOnlySpan<byte> bytes, out bool otherVersion)
    {
        otherVersion = false;
        if (bytes.Length < HeaderBytes || !bytes.StartsWith(Magic))
        {
            return null;
        }
        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) != Version)
        {
            otherVersion = true;
            return null;
        }
        bytes = bytes[..HeaderBytes];
        if (BinaryPrimitives.ReadUInt128LittleEndian(bytes[ChecksumOffset..]) != XxHash128.HashToUInt128(bytes[..ChecksumOffset]))
        {
            return null;
        }
        var header = new SegmentHeader(
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]), new Guid(bytes.Slice(32, 16)), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]));
        Span<byte> same = stackalloc byte[HeaderBytes];
        header.Write(same);
        return header.Number > 0 && same.SequenceEqual(bytes) ? header : null; // One byte form: fixed fields and zeros are checked by writing it again.
    }
}
