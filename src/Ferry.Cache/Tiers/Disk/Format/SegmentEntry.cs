using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers.Disk.Format;

/// <summary>One slot of a segment's index, as bytes: a record and where it lies, or the next block of the index. docs/wire/disk.md, golden bytes there.</summary>
/// <remarks>A slot of zeros is empty: never written, or its record was deleted.</remarks>
internal readonly ref struct SegmentEntry
{
    private const byte RecordKind = 1;
    private const byte BlockKind = 2;
    private const int ChecksumOffset = SegmentIndex.EntryBytes - 8;
    private const int SaltOffset = 120;

    private readonly ReadOnlySpan<byte> _bytes;

    private SegmentEntry(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public bool IsRecord => _bytes[0] == RecordKind;

    public uint WrittenUnixSeconds => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[4..]);

    /// <summary>Puts of one store in order; the same for a copy that compaction has moved.</summary>
    public long Sequence => BinaryPrimitives.ReadInt64LittleEndian(_bytes[8..]);

    /// <summary>Where the record, or the next block, begins.</summary>
    public uint Page => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[16..]);

    /// <summary>Bytes of the record, or of the next block.</summary>
    public uint ByteCount => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[20..]);

    public ReadOnlySpan<byte> Layout => _bytes.Slice(24, LayoutCode.CodeBytes);

    public UInt128 Model => BinaryPrimitives.ReadUInt128LittleEndian(_bytes[56..]);

    public ChunkHash Hash => new(_bytes.Slice(72, _bytes[1]));

    /// <summary>The record header's own checksum: the entry means this record and no other.</summary>
    public UInt128 HeaderChecksum => BinaryPrimitives.ReadUInt128LittleEndian(_bytes[104..]);

    public ReadOnlySpan<byte> Salt => _bytes.Slice(SaltOffset, _bytes[2]);

    public KvKey Key => new(Encoding.UTF8.GetString(Salt), Model, Hash);

    public byte[] ToArray() => _bytes.ToArray();

    /// <param name="slot">The checksum depends on it, so that an entry in another place is none.</param>
    public static void WriteRecord(
        Span<byte> bytes, ulong seed, int slot, KvRecordHeader header, UInt128 headerChecksum, long sequence, uint page, uint writtenUnixSeconds)
    {
        bytes = bytes[..SegmentIndex.EntryBytes];
        bytes.Clear();
        bytes[0] = RecordKind;
        bytes[1] = (byte)header.Hash.ByteCount;
        bytes[2] = (byte)Encoding.UTF8.GetBytes(header.Salt, bytes.Slice(SaltOffset, KvRecord.MaxSaltBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], writtenUnixSeconds);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], page);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[20..], checked((uint)header.RecordBytes));
        LayoutCode.Write(header.Layout, bytes.Slice(24, LayoutCode.CodeBytes));
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[56..], header.Model);
        header.Hash.CopyTo(bytes.Slice(72, ChunkHash.MaxBytes));
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[104..], headerChecksum);
        Seal(bytes, seed, slot);
    }

    /// <summary>The same record, as another segment names it.</summary>
    public void WriteMoved(Span<byte> bytes, ulong seed, int slot, uint page)
    {
        _bytes.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], page);
        Seal(bytes[..SegmentIndex.EntryBytes], seed, slot);
    }

    public static void WriteBlock(Span<byte> bytes, ulong seed, int slot, uint page, int blockBytes)
    {
        bytes = bytes[..SegmentIndex.EntryBytes];
        bytes.Clear();
        bytes[0] = BlockKind;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], page);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], blockBytes);
        Seal(bytes, seed, slot);
    }

    public static bool IsEmpty(ReadOnlySpan<byte> bytes) => !bytes[..SegmentIndex.EntryBytes].ContainsAnyExcept((byte)0);

    /// <summary>Any bytes may be given. True only for what <see cref="WriteRecord"/> or <see cref="WriteBlock"/> wrote for that slot of that segment.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong seed, int slot, out SegmentEntry entry)
    {
        entry = new SegmentEntry(bytes[..SegmentIndex.EntryBytes]);
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[ChecksumOffset..]) != Checksum(bytes, seed, slot))
        {
            return false;
        }
        return bytes[0] switch
        {
            BlockKind => true,
            RecordKind => bytes[1] is > 0 and <= ChunkHash.MaxBytes && bytes[2] <= KvRecord.MaxSaltBytes && entry.Page > 0
                && entry.ByteCount is >= KvRecord.HeaderBytes and <= int.MaxValue && entry.Sequence > 0,
            _ => false,
        };
    }

    private static void Seal(Span<byte> bytes, ulong seed, int slot) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[ChecksumOffset..], Checksum(bytes, seed, slot));

    private static ulong Checksum(ReadOnlySpan<byte> bytes, ulong seed, int slot) =>
        XxHash3.HashToUInt64(bytes[..ChecksumOffset], unchecked((long)(seed + (uint)slot)));
}
