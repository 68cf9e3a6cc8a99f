using System.Diagnostics.CodeAnalysis;
using System.Text;
using Ferry.Cache.Remote.Peers;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Remote.Resp;

/// <summary>What exchanges ask each other. docs/wire/peers.md</summary>
internal static class RespPeerCommands
{
    public static async ValueTask IntroduceAsync(RespSession session)
    {
        if (!TryDesk(session, out var desk))
        {
            return;
        }
        if (!session.Is(1, "1"u8))
        {
            session.Fail($"ERR this exchange speaks version {PeerWire.Version} to its peers");
            return;
        }
        session.Output.WriteArrayHeader(2);
        session.Output.WriteInteger(PeerWire.Version);
        await session.Output.WriteBulkAsync(Encoding.ASCII.GetBytes(desk.Id));
    }

    public static async ValueTask FindAsync(RespSession session)
    {
        if (!TryDesk(session, out var desk))
        {
            return;
        }
        var keys = new KvKey[session.Count - 1];
        for (var index = 0; index < keys.Length; index++)
        {
            if (!PeerWire.TryReadKey(session[index + 1].Span, out keys[index]))
            {
                session.Fail("ERR a key is MODEL:HASH:SALT, the first two in hex");
                return;
            }
        }
        var found = await desk.FindAsync(keys, session.Aborting);
        session.Outcome = RespOutcome.Miss;
        session.Output.WriteArrayHeader(keys.Length);
        foreach (var records in found)
        {
            session.Outcome = records.Count > 0 ? RespOutcome.Hit : session.Outcome;
            await session.Output.WriteBulkAsync(PeerWire.OfRecords(records));
        }
    }

    public static async ValueTask ReadAsync(RespSession session)
    {
        if (!TryDesk(session, out var desk) || !TryRecord(session, out var key, out var shard))
        {
            return;
        }
        using var chunk = await desk.TryLeaseAsync(key, shard, session.Aborting);
        session.Outcome = chunk is null ? RespOutcome.Miss : RespOutcome.Hit;
        if (chunk is null)
        {
            session.Output.WriteNull(session.IsResp3);
            return;
        }
        await session.Output.WriteBulkAsync(chunk.Shards[0].Record);
    }

    public static ValueTask ProveAsync(RespSession session)
    {
        if (TryDesk(session, out var desk) && TryRecord(session, out var key, out var shard))
        {
            session.Output.WriteInteger(desk.Prove(key, shard) ? 1 : 0);
        }
        return ValueTask.CompletedTask;
    }

    private static bool TryDesk(RespSession session, [NotNullWhen(true)] out PeerDesk? desk)
    {
        desk = session.Front.Peers;
        if (desk is null)
        {
            session.Fail("ERR this front answers no peers");
        }
        return desk is not null;
    }

    private static bool TryRecord(RespSession session, out KvKey key, out RecordPath.ShardName shard)
    {
        shard = default;
        if (PeerWire.TryReadKey(session[1].Span, out key) && RecordPath.TryParse(session.Text(2), out shard))
        {
            return true;
        }
        session.Fail("ERR a record is MODEL:HASH:SALT and FIRST-HEADS-OF-FAMILY.kv");
        return false;
    }
}
