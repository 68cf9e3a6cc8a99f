using Ferry.Kv.Layout;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Handover;

/// <summary>Questions and answers of a hand-over (docs/wire/handover.md). Decoders return null for bytes that are not exactly one of them.</summary>
internal static class HandoverCodec
{
    public const byte Version = 1;
    public const byte KindTicket = 1;
    public const byte KindPack = 2;

    private const int RankBytes = 24;

    /// <summary>The kind of a question, or 0 for one that is none of ours.</summary>
    public static byte KindOf(ReadOnlySpan<byte> question) =>
        question is [Version, KindTicket or KindPack, 0, 0, ..] ? question[1] : (byte)0;

    public static byte[] EncodeTicketQuestion(string requestId)
    {
        var writer = Begin(KindTicket);
        writer.Text(requestId);
        return writer.Written.ToArray();
    }

    public static string? DecodeTicketQuestion(ReadOnlySpan<byte> question)
    {
        var reader = new WireReader(question);
        reader.UInt32();
        var requestId = reader.Text(SideChannelCodec.TextBytesMax);
        return reader.IsComplete ? requestId : null;
    }

    /// <summary>Block tables that ranks share are written once: most engines give all ranks the same blocks.</summary>
    public static byte[] Encode(HandoverTicket ticket)
    {
        var writer = Begin(KindTicket);
        writer.UInt64(ticket.Generation);
        writer.UInt32((uint)ticket.Tokens);
        writer.Milliseconds(ticket.LeaseLeft);
        writer.UInt32((uint)ticket.PackBytesMax);
        var tables = new List<ReadOnlyMemory<int>>();
        int[] tableOf = [.. ticket.Ranks.Select(rank => IndexOf(tables, rank.Blocks))];
        writer.UInt16((ushort)tables.Count);
        foreach (var table in tables)
        {
            writer.UInt32((uint)table.Length);
            foreach (var block in table.Span)
            {
                writer.UInt32((uint)block);
            }
        }
        writer.UInt16((ushort)ticket.Ranks.Count);
        for (var index = 0; index < tableOf.Length; index++)
        {
            var rank = ticket.Ranks[index];
            writer.UInt64(rank.LeaseId);
            writer.UInt32(rank.RegionId);
            writer.UInt16((ushort)tableOf[index]);
            writer.UInt16(0);
            writer.UInt64((ulong)rank.Offset);
        }
        return writer.Written.ToArray();
    }

    /// <summary>Believes nothing that the layouts of the handshake contradict: every block lies in its rank's pool.</summary>
    /// <param name="pools">Layouts of the owner's ranks, valid pools, rank 0 first.</param>
    public static HandoverTicket? DecodeTicket(ReadOnlySpan<byte> answer, IReadOnlyList<KvLayout> pools)
    {
        var reader = new WireReader(answer);
        var head = reader.UInt32();
        var generation = reader.UInt64();
        var tokens = reader.UInt32();
        var left = reader.Milliseconds();
        var packBytesMax = reader.UInt32();
        var tables = new int[reader.Count(reader.UInt16(), itemBytesMin: 4, KvDescription.RankCountMax)][];
        for (var index = 0; index < tables.Length; index++)
        {
            tables[index] = new int[reader.Count(reader.UInt32(), itemBytesMin: 4, FrameHeader.PayloadBytesMax / 4)];
            foreach (ref var block in tables[index].AsSpan())
            {
                block = (int)reader.UInt32();
            }
        }
        var ranks = new HandoverRank[reader.Count(reader.UInt16(), RankBytes, KvDescription.RankCountMax)];
        if (reader.Failed || head != (Version | (uint)KindTicket << 8) || ranks.Length != pools.Count
            || tokens is 0 or > KvLayout.MaxTokens || packBytesMax > int.MaxValue)
        {
            return null;
        }
        for (var rank = 0; rank < ranks.Length; rank++)
        {
            var (leaseId, regionId, table, reserved, offset) = (reader.UInt64(), reader.UInt32(), reader.UInt16(), reader.UInt16(), reader.Int63());
            if (reader.Failed || reserved != 0 || table >= tables.Length || !IsTableOf(pools[rank], tables[table], (int)tokens)
                || offset > long.MaxValue - pools[rank].PayloadBytes)
            {
                return null;
            }
            ranks[rank] = new HandoverRank(leaseId, regionId, offset, tables[table]);
        }
        return reader.IsComplete ? new HandoverTicket(generation, (int)tokens, left, (int)packBytesMax, ranks) : null;
    }

    public static byte[] Encode(PackRequest request)
    {
        var writer = Begin(KindPack);
        writer.UInt64(request.LeaseId);
        writer.UInt32((uint)request.FirstLayer);
        writer.UInt32((uint)request.FirstToken);
        writer.UInt32((uint)request.Tokens);
        writer.Text(request.Layout.ToString());
        return writer.Written.ToArray();
    }

    /// <summary>The layout is one that means something and lies in blocks; whether it fits the request is the owner's to say.</summary>
    public static PackRequest? DecodePack(ReadOnlySpan<byte> question)
    {
        var reader = new WireReader(question);
        reader.UInt32();
        var leaseId = reader.UInt64();
        var (firstLayer, firstToken, tokens) = (reader.UInt32(), reader.UInt32(), reader.UInt32());
        var text = reader.Text(SideChannelCodec.LayoutBytesMax);
        if (!reader.IsComplete || firstLayer > KvLayout.MaxLayers || firstToken > KvLayout.MaxTokens || tokens is 0 or > KvLayout.MaxTokens
            || PoolLayouts.TryParse(text, out _) is not { } layout)
        {
            return null;
        }
        return new PackRequest(leaseId, (int)firstLayer, (int)firstToken, (int)tokens, layout);
    }

    public static byte[] Encode(in PackReply reply)
    {
        var writer = Begin(KindPack);
        writer.UInt64(reply.LeaseId);
        writer.UInt32(reply.RegionId);
        writer.UInt32(0);
        writer.UInt64((ulong)reply.Offset);
        writer.UInt64((ulong)reply.Bytes);
        return writer.Written.ToArray();
    }

    public static PackReply? DecodePackReply(ReadOnlySpan<byte> answer)
    {
        var reader = new WireReader(answer);
        var head = reader.UInt32();
        var (leaseId, regionId, reserved) = (reader.UInt64(), reader.UInt32(), reader.UInt32());
        var (offset, bytes) = (reader.Int63(), reader.Int63());
        return reader.IsComplete && head == (Version | (uint)KindPack << 8) && reserved == 0 && bytes > 0 && offset <= long.MaxValue - bytes
            ? new PackReply(leaseId, regionId, offset, bytes)
            : null;
    }

    private static WireWriter Begin(byte kind)
    {
        var writer = new WireWriter();
        writer.UInt32(Version | (uint)kind << 8);
        return writer;
    }

    private static int IndexOf(List<ReadOnlyMemory<int>> tables, ReadOnlyMemory<int> blocks)
    {
        var index = tables.FindIndex(table => table.Span.SequenceEqual(blocks.Span));
        if (index < 0)
        {
            tables.Add(blocks);
            index = tables.Count - 1;
        }
        return index;
    }

    private static bool IsTableOf(KvLayout pool, int[] blocks, int tokens)
    {
        if (blocks.Length != (tokens + pool.BlockTokens - 1) / pool.BlockTokens)
        {
            return false;
        }
        var poolBlocks = (uint)(pool.Tokens / pool.BlockTokens);
        foreach (var block in blocks)
        {
            if ((uint)block >= poolBlocks)
            {
                return false;
            }
        }
        return true;
    }
}
