using Ferry.Cache.Remote.Clients;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Resp;

/// <summary>SET and SETNX: the value is in its place, or in the command; what remains is to decide whether it becomes visible.</summary>
internal static class RespSetCommand
{
    public static async ValueTask RunAsync(RespSession session)
    {
        var outcome = session.TakeWrite(out var write);
        using (write)
        {
            var options = RespSetOptions.Read(session, out var error);
            if (error is not null || Refusal(session, outcome) is { } refusal && (error = refusal) is not null)
            {
                session.Fail(error);
                return;
            }
            if (options == default)
            {
                await CommitAsync(session, write);
                session.Output.WriteOk();
            }
            else
            {
                await RunConditionalAsync(session, options, outcome, write);
            }
        }
    }

    private static async ValueTask RunConditionalAsync(RespSession session, RespSetOptions options, ClientPutOutcome outcome, ClientWrite? write)
    {
        var store = session.Front.Store;
        await session.Front.Conditional.WaitAsync(session.Aborting);
        try
        {
            using var old = options.ReturnsOld ? await store.TryGetAsync(session[1], session.Aborting) : null;
            var exists = options.ReturnsOld ? old is not null : outcome == ClientPutOutcome.Present || await store.ExistsAsync(session[1], session.Aborting);
            var stores = options.IfAbsent ? !exists : !options.IfPresent || exists;
            if (stores)
            {
                await CommitAsync(session, write);
            }
            if (session.Is(0, "SETNX"u8))
            {
                session.Output.WriteInteger(stores ? 1 : 0);
            }
            else if (old is not null)
            {
                await session.Output.WriteBulkAsync(old.Bytes);
            }
            else if (options.ReturnsOld || !stores)
            {
                session.Outcome = RespOutcome.Miss;
                session.Output.WriteNull(session.IsResp3);
            }
            else
            {
                session.Output.WriteOk();
            }
        }
        finally
        {
            session.Front.Conditional.Release();
        }
    }

    /// <summary>Null: the same value is there, or on its way, and answering is all there is to do.</summary>
    private static ValueTask CommitAsync(RespSession session, ClientWrite? write) => write?.CommitAsync(session.Aborting) ?? ValueTask.CompletedTask;

    private static string? Refusal(RespSession session, ClientPutOutcome outcome)
    {
        if (outcome is ClientPutOutcome.Ready or ClientPutOutcome.Present)
        {
            return null;
        }
        session.Front.CountRefused(session.Connection, session.ValueBytes, outcome);
        return outcome switch
        {
            ClientPutOutcome.BadKey => $"ERR the key has {session[1].Length} bytes; a key has 1 to {KvRecord.MaxClientKeyBytes}",
            ClientPutOutcome.TooLarge => $"ERR the value has {session.ValueBytes} bytes, more than the memory tier takes; raise its size, or store less at a time",
            ClientPutOutcome.Full => "OOM no room: everything in memory is being read or pinned; try again, or raise the memory tier",
            ClientPutOutcome.OverQuota => "OOM the quota of this key's tenant is used up; raise it, or delete something",
            _ => $"ERR the value has {session.ValueBytes} bytes, which the layout that its key names has not: the model card or the client's configuration is wrong",
        };
    }
}
