namespace Ferry.Cache.Remote.Resp;

internal static class RespValueCommands
{
    public static async ValueTask GetAsync(RespSession session)
    {
        var started = session.Front.Time.GetTimestamp();
        await SendAsync(session, 1);
        session.Front.Counters.GetSeconds.Observe(session.Front.Time.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>One value after the other: of each only its own lease is held.</summary>
    public static async ValueTask GetManyAsync(RespSession session)
    {
        session.Output.WriteArrayHeader(session.Count - 1);
        for (var index = 1; index < session.Count && session.Connection.IsOpen; index++)
        {
            await session.Output.ReserveAsync();
            await SendAsync(session, index);
        }
    }

    public static async ValueTask LengthAsync(RespSession session)
    {
        using var value = await session.Front.Store.TryGetAsync(session[1], session.Aborting);
        session.Outcome = value is null ? RespOutcome.Miss : RespOutcome.Hit;
        session.Output.WriteInteger(value?.Bytes.Length ?? 0);
    }

    private static async ValueTask SendAsync(RespSession session, int index)
    {
        using var value = await session.Front.Store.TryGetAsync(session[index], session.Aborting);
        session.Outcome = value is null ? RespOutcome.Miss : RespOutcome.Hit;
        if (value is null)
        {
            session.Output.WriteNull(session.IsResp3);
            return;
        }
        await session.Output.WriteBulkAsync(value.Bytes);
    }
}
