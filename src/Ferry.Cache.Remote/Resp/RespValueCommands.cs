using Ferry.Cache.Remote.Clients;

namespace Ferry.Cache.Remote.Resp;

internal static class RespValueCommands
{
    /// <remarks>The usual case, a value in memory, completes at once: no state machine for what takes two microseconds.</remarks>
    public static ValueTask GetAsync(RespSession session) => AnswerAsync(session, 1);

    /// <summary>One value after the other: of each only its own lease is held.</summary>
    public static async ValueTask GetManyAsync(RespSession session)
    {
        session.Output.WriteArrayHeader(session.Count - 1);
        for (var index = 1; index < session.Count && session.Connection.IsOpen; index++)
        {
            await session.Output.ReserveAsync();
            await AnswerAsync(session, index);
        }
    }

    public static async ValueTask LengthAsync(RespSession session)
    {
        using var value = await session.Front.Store.TryGetAsync(session[1], session.Aborting);
        session.Outcome = value is null ? RespOutcome.Miss : RespOutcome.Hit;
        session.Output.WriteInteger(value?.Bytes.Length ?? 0);
    }

    private static ValueTask AnswerAsync(RespSession session, int index)
    {
        var finding = session.Front.Store.TryGetAsync(session[index], session.Aborting);
        return finding.IsCompletedSuccessfully ? AnswerAsync(session, finding.Result) : AnswerAsync(session, finding);
    }

    private static async ValueTask AnswerAsync(RespSession session, ValueTask<ClientValue?> finding) => await AnswerAsync(session, await finding);

    private static ValueTask AnswerAsync(RespSession session, ClientValue? value)
    {
        session.Outcome = value is null ? RespOutcome.Miss : RespOutcome.Hit;
        if (value is not null)
        {
            return session.Output.WriteBulkAsync(value);
        }
        session.Output.WriteNull(session.IsResp3);
        return ValueTask.CompletedTask;
    }
}
