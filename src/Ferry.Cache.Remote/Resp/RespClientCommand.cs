using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>CLIENT: what client libraries say of themselves when they connect.</summary>
internal static class RespClientCommand
{
    public const string BadName = "ERR Client names cannot contain spaces, newlines or special characters.";

    private const int NameBytesMax = 256;

    private static readonly string[] Help =
    [
        "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GETNAME", "    Return the name of the current connection.",
        "ID", "    Return the ID of the current connection.",
        "INFO", "    Return information about the current client connection.",
        "NO-EVICT (ON|OFF), NO-TOUCH (ON|OFF)", "    Accepted, without effect.",
        "SETINFO <attr> <value>", "    Set client meta attr: LIB-NAME, LIB-VER.",
        "SETNAME <name>", "    Assign the name <name> to the current connection.",
        "HELP", "    Print this help.",
    ];

    public static bool IsName(ReadOnlySpan<byte> name) => name.Length <= NameBytesMax && !name.ContainsAnyExceptInRange((byte)'!', (byte)'~');

    public static async ValueTask RunAsync(RespSession session)
    {
        session.ReadsErrors = true;
        var output = session.Output;
        if (session.Is(1, "SETINFO"u8) && Has(session, 4))
        {
            SetInfo(session);
        }
        else if (session.Is(1, "SETNAME"u8) && Has(session, 3))
        {
            SetName(session);
        }
        else if (session.Is(1, "GETNAME"u8) && Has(session, 2))
        {
            GetName(session);
        }
        else if (session.Is(1, "ID"u8) && Has(session, 2))
        {
            output.WriteInteger(session.Id);
        }
        else if (session.Is(1, "INFO"u8) && Has(session, 2))
        {
            await output.WriteBulkAsync(System.Text.Encoding.UTF8.GetBytes(
                $"id={session.Id} addr={session.Connection.Peer} laddr={session.Connection.Local} name={session.ClientName} db=0 resp={(session.IsResp3 ? 3 : 2)}\n"));
        }
        else if ((session.Is(1, "NO-EVICT"u8) || session.Is(1, "NO-TOUCH"u8)) && Has(session, 3))
        {
            output.WriteOk();
        }
        else if (session.Is(1, "HELP"u8) && Has(session, 2))
        {
            output.WriteArrayHeader(Help.Length);
            foreach (var line in Help)
            {
                await output.WriteBulkAsync(System.Text.Encoding.ASCII.GetBytes(line));
            }
        }
        else if (session.Outcome != RespOutcome.Error)
        {
            var name = session[1].Span;
            session.Fail($"ERR unknown subcommand '{new ByteText(name[..Math.Min(name.Length, 128)])}'. Try CLIENT HELP.");
        }
    }

    private static bool Has(RespSession session, int count)
    {
        if (session.Count != count)
        {
            session.Fail($"ERR wrong number of arguments for 'client|{session.Text(1).ToLowerInvariant()}' command");
        }
        return session.Count == count;
    }

    private static void SetInfo(RespSession session)
    {
        if (session.Is(2, "LIB-NAME"u8) || session.Is(2, "LIB-VER"u8))
        {
            session.Output.WriteOk(); // Nothing here shows it.
        }
        else
        {
            var name = session[2].Span;
            session.Fail($"ERR Unrecognized option '{new ByteText(name[..Math.Min(name.Length, 64)])}'");
        }
    }

    private static void SetName(RespSession session)
    {
        if (!IsName(session[2].Span))
        {
            session.Fail(BadName);
            return;
        }
        session.ClientName = session.Text(2);
        session.Output.WriteOk();
    }

    private static void GetName(RespSession session)
    {
        if (session.ClientName.Length == 0)
        {
            session.Output.WriteNull(session.IsResp3);
        }
        else
        {
            session.Output.WriteBulk(System.Text.Encoding.UTF8.GetBytes(session.ClientName));
        }
    }
}
