using Ferry.Cache.Remote.Fronts;

namespace Ferry.Cache.Remote.Resp;

internal static class RespConnectionCommands
{
    public static ValueTask PingAsync(RespSession session)
    {
        if (session.Count == 2)
        {
            return session.Output.WriteBulkAsync(session[1]);
        }
        session.Output.Write("+PONG\r\n"u8);
        return ValueTask.CompletedTask;
    }

    public static ValueTask EchoAsync(RespSession session) => session.Output.WriteBulkAsync(session[1]);

    public static ValueTask AuthenticateAsync(RespSession session)
    {
        if (session.Front.Password is null)
        {
            session.Fail("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
        }
        else if (session.TryPassword(session.Count == 3 ? session[1].Span : RespPassword.DefaultUser, session[session.Count - 1].Span))
        {
            session.Output.WriteOk();
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>There is one database.</summary>
    public static ValueTask SelectAsync(RespSession session)
    {
        if (session.Is(1, "0"u8))
        {
            session.Output.WriteOk();
        }
        else
        {
            session.Fail(!long.TryParse(session[1].Span, out _) ? "ERR value is not an integer or out of range" : "ERR DB index is out of range");
        }
        return ValueTask.CompletedTask;
    }

    public static ValueTask QuitAsync(RespSession session)
    {
        session.Output.WriteOk();
        session.Ending = FrontEnd.Quit;
        return ValueTask.CompletedTask;
    }
}
