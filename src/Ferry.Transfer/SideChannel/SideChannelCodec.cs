using Ferry.Kv.Hashing;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.SideChannel;

/// <summary>Payloads of the side channel (docs/wire/side-channel.md). Decoders return null for bytes that are not exactly one message.</summary>
internal static class SideChannelCodec
{
    /// <summary>Request ids, salts and messages; vLLM's ids have under 100 bytes.</summary>
    public const int TextBytesMax = 1024;

    /// <summary>A KvLayout text has about 150 bytes.</summary>
    public const int LayoutBytesMax = 1024;

    private const int RecordBytes = 32;

    public static WireWriter Encode(PeerMetadata metadata)
    {
        var writer = new WireWriter();
        writer.Text(metadata.Identity.EngineId);
        writer.UInt64(metadata.Identity.Generation);
        writer.UInt128(metadata.Kv.Model);
        writer.UInt32((uint)metadata.Kv.ChunkTokens);
        writer.Text(metadata.Kv.KeyAlgorithm);
        writer.UInt16((ushort)metadata.Kv.RankLayouts.Count);
        foreach (var layout in metadata.Kv.RankLayouts)
        {
            writer.Text(layout);
        }
        writer.UInt16((ushort)metadata.Media.Count);
        foreach (var medium in metadata.Media)
        {
            writer.Text(medium.Medium);
            writer.UInt16((ushort)medium.Address.Length);
            writer.Bytes(medium.Address.Span);
        }
        writer.Milliseconds(metadata.Heartbeat);
        return writer;
    }

    public static PeerMetadata? DecodeMetadata(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var metadata = ReadMetadata(ref reader);
        return reader.IsComplete ? metadata : null;
    }

    /// <summary>The reply to Hello: the session that data streams name, then the metadata.</summary>
    public static WireWriter EncodeHelloReply(ulong sessionId, PeerMetadata metadata)
    {
        var writer = new WireWriter();
        writer.UInt64(sessionId);
        writer.Bytes(Encode(metadata).Written);
        return writer;
    }

    public static PeerMetadata? DecodeHelloReply(ReadOnlySpan<byte> payload, out ulong sessionId)
    {
        var reader = new WireReader(payload);
        sessionId = reader.UInt64();
        var metadata = ReadMetadata(ref reader);
        return reader.IsComplete ? metadata : null;
    }

    public static WireWriter Encode(LocateRequest request)
    {
        var writer = new WireWriter();
        writer.Text(request.RequestId);
        writer.Text(request.Salt);
        writer.UInt128(request.Model);
        writer.UInt32((uint)request.Chunks.Count);
        Span<byte> hash = stackalloc byte[ChunkHash.MaxBytes];
        foreach (var chunk in request.Chunks)
        {
            chunk.CopyTo(hash);
            writer.Byte((byte)chunk.ByteCount);
            writer.Bytes(hash[..chunk.ByteCount]);
        }
        return writer;
    }

    public static LocateRequest? DecodeLocate(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var requestId = reader.Text(TextBytesMax);
        var salt = reader.Text(TextBytesMax);
        var model = reader.UInt128();
        var chunks = new ChunkHash[reader.Count(reader.UInt32(), itemBytesMin: 2, FrameHeader.PayloadBytesMax)];
        for (var i = 0; i < chunks.Length; i++)
        {
            var byteCount = reader.Byte();
            var bytes = reader.Bytes(byteCount);
            if (reader.Failed || byteCount is 0 or > ChunkHash.MaxBytes)
            {
                return null;
            }
            chunks[i] = new ChunkHash(bytes);
        }
        return reader.IsComplete ? new LocateRequest(requestId, salt, model, chunks) : null;
    }

    /// <summary>Of a reply without an error; a refusal is a frame with a status and <see cref="EncodeMessage"/>.</summary>
    public static WireWriter Encode(LocateReply reply) => EncodeGrant(reply.LeaseId, reply.Generation, reply.LeaseLeft, reply.Records);

    public static LocateReply? DecodeLocateReply(ReadOnlySpan<byte> payload) =>
        DecodeGrant(payload) is var (leaseId, generation, left, records)
            ? new LocateReply(leaseId, generation, left, records, TransferError.None, string.Empty)
            : null;

    public static WireWriter Encode(PrepareRequest request)
    {
        var writer = new WireWriter();
        writer.Text(request.RequestId);
        writer.Text(request.Salt);
        writer.UInt128(request.Model);
        writer.UInt32((uint)request.Pieces.Count);
        Span<byte> hash = stackalloc byte[ChunkHash.MaxBytes];
        foreach (var piece in request.Pieces)
        {
            writer.UInt64((ulong)piece.Bytes);
            writer.UInt16((ushort)piece.Rank);
            piece.Chunk.CopyTo(hash);
            writer.Byte((byte)piece.Chunk.ByteCount);
            writer.Bytes(hash[..piece.Chunk.ByteCount]);
        }
        return writer;
    }

    public static PrepareRequest? DecodePrepare(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var requestId = reader.Text(TextBytesMax);
        var salt = reader.Text(TextBytesMax);
        var model = reader.UInt128();
        var pieces = new PreparedPiece[reader.Count(reader.UInt32(), itemBytesMin: 12, FrameHeader.PayloadBytesMax / 12)];
        for (var i = 0; i < pieces.Length; i++)
        {
            var bytes = reader.Int63();
            var rank = reader.UInt16();
            var byteCount = reader.Byte();
            var hash = reader.Bytes(byteCount);
            if (reader.Failed || bytes < 1 || rank >= KvDescription.RankCountMax || byteCount is 0 or > ChunkHash.MaxBytes)
            {
                return null;
            }
            pieces[i] = new PreparedPiece(new ChunkHash(hash), rank, bytes);
        }
        return reader.IsComplete ? new PrepareRequest(requestId, salt, model, pieces) : null;
    }

    /// <summary>Of a reply without an error.</summary>
    public static WireWriter Encode(PrepareReply reply) => EncodeGrant(reply.LeaseId, reply.Generation, reply.LeaseLeft, reply.Places);

    public static PrepareReply? DecodePrepareReply(ReadOnlySpan<byte> payload) =>
        DecodeGrant(payload) is var (leaseId, generation, left, places)
            ? new PrepareReply(leaseId, generation, left, places, TransferError.None, string.Empty)
            : null;

    public static WireWriter EncodeRegionQuestion(string medium, uint regionId)
    {
        var writer = new WireWriter();
        writer.Text(medium);
        writer.UInt32(regionId);
        return writer;
    }

    public static (string Medium, uint RegionId)? DecodeRegionQuestion(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var (medium, regionId) = (reader.Text(TextBytesMax), reader.UInt32());
        return reader.IsComplete ? (medium, regionId) : null;
    }

    public static WireWriter Encode(ExtendRequest request)
    {
        var writer = new WireWriter();
        writer.Milliseconds(request.Duration);
        writer.UInt32((uint)request.Holds.Count);
        foreach (var hold in request.Holds)
        {
            writer.UInt64(hold.LeaseId);
            writer.Text(hold.RequestId);
        }
        return writer;
    }

    public static ExtendRequest? DecodeExtend(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var duration = reader.Milliseconds();
        var holds = new LeaseHold[reader.Count(reader.UInt32(), itemBytesMin: 10, FrameHeader.PayloadBytesMax / 10)];
        for (var i = 0; i < holds.Length; i++)
        {
            var leaseId = reader.UInt64();
            holds[i] = new LeaseHold(reader.Text(TextBytesMax), leaseId);
        }
        return reader.IsComplete ? new ExtendRequest(holds, duration) : null;
    }

    public static WireWriter EncodeLeft(IReadOnlyList<TimeSpan> left)
    {
        var writer = new WireWriter();
        writer.UInt32((uint)left.Count);
        foreach (var one in left)
        {
            writer.Milliseconds(one);
        }
        return writer;
    }

    public static TimeSpan[]? DecodeLeft(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var left = new TimeSpan[reader.Count(reader.UInt32(), itemBytesMin: 4, FrameHeader.PayloadBytesMax / 4)];
        for (var i = 0; i < left.Length; i++)
        {
            left[i] = reader.Milliseconds();
        }
        return reader.IsComplete ? left : null;
    }

    public static WireWriter Encode(ReleaseRequest request)
    {
        var writer = new WireWriter();
        writer.UInt64(request.LeaseId);
        writer.Text(request.RequestId);
        writer.Byte(request.Completed ? (byte)1 : (byte)0);
        return writer;
    }

    public static ReleaseRequest? DecodeRelease(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var leaseId = reader.UInt64();
        var requestId = reader.Text(TextBytesMax);
        var completed = reader.Byte();
        return reader.IsComplete && completed <= 1 ? new ReleaseRequest(requestId, leaseId, completed == 1) : null;
    }

    /// <summary>The text of a refusal, cut to what a reader takes.</summary>
    public static WireWriter EncodeMessage(string message)
    {
        var writer = new WireWriter();
        // A UTF-16 unit gives at most three bytes of UTF-8.
        writer.Text(message.Length <= TextBytesMax / 3 ? message : message[..(TextBytesMax / 3)]);
        return writer;
    }

    public static string DecodeMessage(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var message = reader.Text(TextBytesMax);
        return reader.IsComplete ? message : "(the peer gave no readable reason)";
    }

    private static WireWriter EncodeGrant(ulong leaseId, ulong generation, TimeSpan left, IReadOnlyList<LocatedRecord> records)
    {
        var writer = new WireWriter();
        writer.UInt64(leaseId);
        writer.UInt64(generation);
        writer.Milliseconds(left);
        writer.UInt32((uint)records.Count);
        foreach (var record in records)
        {
            writer.UInt32((uint)record.ChunkIndex);
            writer.UInt32((uint)record.Rank);
            writer.UInt32(record.RegionId);
            writer.UInt32(0);
            writer.UInt64((ulong)record.Offset);
            writer.UInt64((ulong)record.Bytes);
        }
        return writer;
    }

    private static (ulong LeaseId, ulong Generation, TimeSpan Left, LocatedRecord[] Records)? DecodeGrant(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var leaseId = reader.UInt64();
        var generation = reader.UInt64();
        var left = reader.Milliseconds();
        var records = new LocatedRecord[reader.Count(reader.UInt32(), RecordBytes, FrameHeader.PayloadBytesMax / RecordBytes)];
        for (var i = 0; i < records.Length; i++)
        {
            var chunkIndex = reader.UInt32();
            var rank = reader.UInt32();
            var regionId = reader.UInt32();
            var reserved = reader.UInt32();
            records[i] = new LocatedRecord((int)chunkIndex, (int)rank, regionId, reader.Int63(), reader.Int63());
            if (reserved != 0 || chunkIndex > int.MaxValue || rank >= KvDescription.RankCountMax)
            {
                return null;
            }
        }
        return reader.IsComplete ? (leaseId, generation, left, records) : null;
    }

    private static PeerMetadata? ReadMetadata(ref WireReader reader)
    {
        var engineId = reader.Text(AgentIdentity.EngineIdBytesMax);
        var generation = reader.UInt64();
        var model = reader.UInt128();
        var chunkTokens = reader.UInt32();
        var keyAlgorithm = reader.Text(TextBytesMax);
        var layouts = new string[reader.Count(reader.UInt16(), itemBytesMin: 2, KvDescription.RankCountMax)];
        for (var i = 0; i < layouts.Length; i++)
        {
            layouts[i] = reader.Text(LayoutBytesMax);
        }
        var media = new MediumAddress[reader.Count(reader.UInt16(), itemBytesMin: 4, MediumAddress.CountMax)];
        for (var i = 0; i < media.Length; i++)
        {
            var name = reader.Text(TextBytesMax);
            var byteCount = reader.Count(reader.UInt16(), itemBytesMin: 1, MediumAddress.AddressBytesMax);
            media[i] = new MediumAddress(name, reader.Bytes(byteCount).ToArray());
        }
        var heartbeat = reader.Milliseconds();
        if (reader.Failed || engineId.Length == 0 || generation == 0 || chunkTokens > int.MaxValue)
        {
            return null;
        }
        return new PeerMetadata(new AgentIdentity(engineId, generation), new KvDescription(model, (int)chunkTokens, keyAlgorithm, layouts), media, heartbeat);
    }
}
