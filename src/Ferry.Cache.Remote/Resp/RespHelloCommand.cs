using System.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>HELLO [2|3 [AUTH user password] [SETNAME name]].</summary>
internal static class RespHelloCommand
{
    public static ValueTask RunAsync(RespSession session)
    {
        session.ReadsErrors = true;
        if (TryApply(session))
        {
            Answer(session);
        }
        return ValueTask.CompletedTask;
    }

    private static bool TryApply(RespSession session)
    {
        var isResp3 = session.IsResp3;
        if (session.Count > 1)
        {
            if (!session.Is(1, "2"u8) && !session.Is(1, "3"u8))
            {
                session.Fail("NOPROTO unsupported protocol version");
                return false;
            }
            isResp3 = session.Is(1, "3"u8);
        }
        string? name = null;
        for (var index = 2; index < session.Count;)
        {
            if (session.Is(index, "AUTH"u8) && index + 2 < session.Count)
            {
                if (session.Front.Password is not null && !session.TryPassword(session[index + 1].Span, session[index + 2].Span))
                {
                    return false;
                }
                index += 3;
            }
            else if (session.Is(index, "SETNAME"u8) && index + 1 < session.Count)
            {
                if (!RespClientCommand.IsName(session[index + 1].Span))
                {
                    session.Fail(RespClientCommand.BadName);
                    return false;
                }
                name = session.Text(index + 1);
                index += 2;
            }
            else
            {
                session.Fail($"ERR Syntax error in HELLO option '{Encoding.ASCII.GetString(session[index].Span[..Math.Min(64, session[index].Length)])}'");
                return false;
            }
        }
        if (!session.IsTrusted)
        {
            session.Fail("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
            return false;
        }
        session.IsResp3 = isResp3;
        session.ClientName = name ?? session.ClientName;
        return true;
    }

    private static void Answer(RespSession session)
    {
        var output = session.Output;
        output.WriteMapHeader(7, session.IsResp3);
        output.WriteBulk("server"u8);
        output.WriteBulk("redis"u8);
        output.WriteBulk("version"u8);
        output.WriteBulk(Encoding.ASCII.GetBytes(RespServerCommands.RedisVersion));
        output.WriteBulk("proto"u8);
        output.WriteInteger(session.IsResp3 ? 3 : 2);
        output.WriteBulk("id"u8);
        output.WriteInteger(session.Id);
        output.WriteBulk("mode"u8);
        output.WriteBulk("standalone"u8);
        output.WriteBulk("role"u8);
        output.WriteBulk("master"u8);
        output.WriteBulk("modules"u8);
        output.WriteArrayHeader(0);
    }
}
