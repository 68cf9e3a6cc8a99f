using Ferry.Transfer.Wire;

namespace Ferry.Transfer.OneSided;

/// <summary>4 region, 8 address, 8 bytes, 2 key length, key.</summary>
internal static class RegionInfoCodec
{
    public const int BytesMin = 22;

    public static void Write(WireWriter writer, RegionInfo region)
    {
        writer.UInt32(region.RegionId);
        writer.UInt64(region.Address);
        writer.UInt64((ulong)region.Bytes);
        writer.UInt16((ushort)region.Key.Length);
        writer.Bytes(region.Key.Span);
    }

    /// <summary>Null for what cannot be a region; the reader has then failed or the caller refuses the message.</summary>
    public static RegionInfo? Read(ref WireReader reader)
    {
        var id = reader.UInt32();
        var address = reader.UInt64();
        var bytes = reader.Int63();
        var keyBytes = reader.Count(reader.UInt16(), itemBytesMin: 1, RegionInfo.KeyBytesMax);
        var key = reader.Bytes(keyBytes);
        return reader.Failed || bytes < 1 || address == 0 || address > ulong.MaxValue - (ulong)bytes ? null : new RegionInfo(id, address, bytes, key.ToArray());
    }

    /// <summary>Payload of RegionReply.</summary>
    public static WireWriter Encode(RegionInfo region)
    {
        var writer = new WireWriter();
        Write(writer, region);
        return writer;
    }

    public static RegionInfo? Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var region = Read(ref reader);
        return reader.IsComplete ? region : null;
    }
}
