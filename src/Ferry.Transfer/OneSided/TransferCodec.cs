using System.Buffers.Binary;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.OneSided;

/// <summary>The frames of a read or write (docs/wire/side-channel.md).</summary>
internal static class TransferCodec
{
    public const int RequestHeadBytes = 24;
    public const int DescriptorBytes = 24;
    public const int SourceBytes = 12;
    public const int ReplyBytes = 24;
    public const int TrailerBytes = 32;
    public const int TookReplyBytes = 8;

    /// <summary>A refusal carries a text.</summary>
    public const int ReplyPayloadBytesMax = 2 + SideChannel.SideChannelCodec.TextBytesMax;

    // "FRRT"
    private const uint TrailerMagic = 0x54525246;

    public static int RequestBytes(in TransferSegment segment) => RequestHeadBytes + segment.PieceCount * DescriptorBytes;

    /// <summary>Writes the payload of a Read or Write frame; <paramref name="payload"/> has at least <see cref="RequestBytes"/>.</summary>
    public static void WriteRequest(Span<byte> payload, TransferPlan plan, in TransferSegment segment, TransferFlags flags)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(payload, segment.Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], segment.LeaseId);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[16..], (uint)flags);
        BinaryPrimitives.WriteInt32LittleEndian(payload[20..], segment.PieceCount);
        var pieces = plan.PiecesOf(segment);
        for (var rest = payload[RequestHeadBytes..]; pieces.MoveNext(); rest = rest[DescriptorBytes..])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(rest, pieces.Current.RegionId);
            BinaryPrimitives.WriteInt32LittleEndian(rest[4..], 0);
            BinaryPrimitives.WriteInt64LittleEndian(rest[8..], pieces.Current.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(rest[16..], pieces.Current.Bytes);
        }
    }

    /// <summary>What follows the descriptors of a write that the owner fetches: the asker's regions, then for each descriptor where its bytes lie.</summary>
    public static void WriteSources(WireWriter writer, TransferPlan plan, in TransferSegment segment, IReadOnlyList<RegionInfo> regions)
    {
        writer.UInt16((ushort)regions.Count);
        foreach (var region in regions)
        {
            RegionInfoCodec.Write(writer, region);
        }
        for (var pieces = plan.PiecesOf(segment); pieces.MoveNext();)
        {
            writer.UInt32(pieces.Current.Local.Id);
            writer.UInt64((ulong)pieces.Current.LocalOffset);
        }
    }

    /// <summary>Pairs the owner's pieces with their sources; false for bytes that are not exactly that.</summary>
    /// <param name="pieces">Filled: the far end is the asker's memory, the near end the owner's.</param>
    public static bool TryReadSources(
        ReadOnlySpan<byte> sources, IReadOnlyList<MemoryPiece> targets, List<RegionInfo> regions, List<TransferPiece> pieces)
    {
        var reader = new WireReader(sources);
        var regionCount = reader.Count(reader.UInt16(), RegionInfoCodec.BytesMin, RegionInfo.CountPerFrameMax);
        for (var i = 0; i < regionCount && RegionInfoCodec.Read(ref reader) is { } region; i++)
        {
            regions.Add(region);
        }
        foreach (var target in targets)
        {
            var regionId = reader.UInt32();
            var offset = reader.Int63();
            pieces.Add(new TransferPiece(regionId, offset, target.Bytes, target.Region, target.Offset));
        }
        return reader.IsComplete && regions.Count == regionCount;
    }

    /// <summary>Payload of a reply without an error. To a Read over TCP the bytes follow the frame, raw, before the trailer.</summary>
    public static void WriteReply(Span<byte> payload, ulong generation, ulong leaseId, long bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(payload, generation);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], leaseId);
        BinaryPrimitives.WriteInt64LittleEndian(payload[16..], bytes);
    }

    /// <summary>True if the reply is about exactly this segment.</summary>
    public static bool IsReplyTo(ReadOnlySpan<byte> payload, in TransferSegment segment)
    {
        var reader = new WireReader(payload);
        return reader.UInt64() == segment.Generation & reader.UInt64() == segment.LeaseId & reader.UInt64() == (ulong)segment.Bytes
            & reader.IsComplete;
    }

    public static void WriteTrailer(Span<byte> trailer, TransferError status, ulong correlation, long bytes, ulong checksum)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, TrailerMagic);
        trailer[4] = FrameHeader.Version;
        trailer[5] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(trailer[6..], (ushort)status);
        BinaryPrimitives.WriteUInt64LittleEndian(trailer[8..], correlation);
        BinaryPrimitives.WriteInt64LittleEndian(trailer[16..], bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(trailer[24..], checksum);
    }

    /// <summary>False for bytes that are not the trailer of this segment.</summary>
    public static bool TryReadTrailer(
        ReadOnlySpan<byte> trailer, ulong correlation, long bytes, out TransferError status, out ulong checksum)
    {
        status = (TransferError)BinaryPrimitives.ReadUInt16LittleEndian(trailer[6..]);
        checksum = BinaryPrimitives.ReadUInt64LittleEndian(trailer[24..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(trailer) == TrailerMagic && trailer[4] == FrameHeader.Version && trailer[5] == 0
            && BinaryPrimitives.ReadUInt64LittleEndian(trailer[8..]) == correlation
            && BinaryPrimitives.ReadInt64LittleEndian(trailer[16..]) == bytes;
    }
}
