namespace Ferry.Cache.Remote.Resp;

internal static class RespKeyCommands
{
    public static async ValueTask ExistsAsync(RespSession session)
    {
        var found = 0;
        for (var index = 1; index < session.Count; index++)
        {
            found += await session.Front.Store.ExistsAsync(session[index], session.Aborting) ? 1 : 0;
        }
        session.Outcome = found > 0 ? RespOutcome.Hit : RespOutcome.Miss;
        session.Output.WriteInteger(found);
    }

    /// <summary>DEL and UNLINK: bytes that somebody still reads go with their last reader, so neither waits.</summary>
    public static async ValueTask DeleteAsync(RespSession session)
    {
        var deleted = 0;
        for (var index = 1; index < session.Count; index++)
        {
            deleted += await session.Front.Store.DeleteAsync(session[index], session.Aborting) ? 1 : 0;
        }
        session.Outcome = deleted > 0 ? RespOutcome.Hit : RespOutcome.Miss;
        session.Output.WriteInteger(deleted);
    }

    public static async ValueTask TypeAsync(RespSession session) =>
        session.Output.Write(await session.Front.Store.ExistsAsync(session[1], session.Aborting) ? "+string\r\n"u8 : "+none\r\n"u8);

    public static ValueTask CountAsync(RespSession session)
    {
        session.Output.WriteInteger(session.Front.Store.Count);
        return ValueTask.CompletedTask;
    }

    public static async ValueTask FlushAsync(RespSession session)
    {
        if (!session.Front.Options.AllowFlush)
        {
            session.Fail($"ERR {session.Text(0).ToUpperInvariant()} is refused: it would empty the cache of every client. To allow it set {session.Front.Options.Section}.allowFlush");
        }
        else if (session.Count == 2 && !session.Is(1, "ASYNC"u8) && !session.Is(1, "SYNC"u8))
        {
            session.Fail("ERR syntax error");
        }
        else
        {
            await session.Front.Store.ClearAsync(session.Aborting);
            session.Output.WriteOk();
        }
    }
}
