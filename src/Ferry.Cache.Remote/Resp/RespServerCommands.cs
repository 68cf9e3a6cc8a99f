using System.Globalization;
using System.Reflection;
using System.Text;

namespace Ferry.Cache.Remote.Resp;

internal static class RespServerCommands
{
    /// <summary>What clients are told, so that they use what is here and no more: CLIENT SETINFO came with 7.2.</summary>
    public const string RedisVersion = "7.2.0";

    private static readonly string FerryVersion =
        typeof(RespServerCommands).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    public static async ValueTask InfoAsync(RespSession session)
    {
        var text = new StringBuilder();
        foreach (var (name, write) in Sections)
        {
            if (IsAsked(session, name))
            {
                text.Append(text.Length > 0 ? "\r\n" : "").Append("# ").Append(name).Append("\r\n");
                write(session, text);
            }
        }
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        if (!session.IsResp3)
        {
            await session.Output.WriteBulkAsync(bytes);
            return;
        }
        session.Output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"={bytes.Length + 4}\r\ntxt:")));
        await session.Output.WriteAsync(bytes);
        await session.Output.ReserveAsync();
        session.Output.Write("\r\n"u8);
    }

    /// <summary>CONFIG GET, with patterns. Nothing can be set here: the exchange's own configuration decides.</summary>
    public static async ValueTask ConfigAsync(RespSession session)
    {
        if (!session.Is(1, "GET"u8) || session.Count < 3)
        {
            session.Fail(session.Is(1, "GET"u8)
                ? "ERR wrong number of arguments for 'config|get' command"
                : "ERR only CONFIG GET is served: the exchange's own configuration decides, not its clients");
            return;
        }
        List<(string Name, string Value)> found = [];
        foreach (var setting in Settings(session))
        {
            var name = Encoding.ASCII.GetBytes(setting.Name);
            for (var index = 2; index < session.Count; index++)
            {
                if (session[index].Length <= 256 && GlobPattern.Matches(session[index].Span, name))
                {
                    found.Add(setting);
                    break;
                }
            }
        }
        session.Output.WriteMapHeader(found.Count, session.IsResp3);
        foreach (var (name, value) in found)
        {
            await session.Output.WriteBulkAsync(Encoding.ASCII.GetBytes(name));
            await session.Output.WriteBulkAsync(Encoding.ASCII.GetBytes(value));
        }
    }

    /// <summary>COMMAND and COMMAND DOCS tell nothing, which clients take for an old server; COUNT counts.</summary>
    public static ValueTask CommandAsync(RespSession session)
    {
        if (session.Count == 1 || session.Is(1, "LIST"u8) || session.Is(1, "INFO"u8))
        {
            session.Output.WriteArrayHeader(0);
        }
        else if (session.Is(1, "DOCS"u8))
        {
            session.Output.WriteMapHeader(0, session.IsResp3);
        }
        else if (session.Is(1, "COUNT"u8))
        {
            session.Output.WriteInteger(RespCommands.All.Count);
        }
        else
        {
            session.Fail("ERR COMMAND has COUNT, DOCS, INFO and LIST here");
        }
        return ValueTask.CompletedTask;
    }

    private static readonly (string Name, Action<RespSession, StringBuilder> Write)[] Sections =
    [
        ("Server", static (session, text) => text.Append(CultureInfo.InvariantCulture,
            $"redis_version:{RedisVersion}\r\nredis_mode:standalone\r\nferry_version:{FerryVersion}\r\narch_bits:64\r\nprocess_id:{Environment.ProcessId}\r\ntcp_port:{session.Connection.Port}\r\nuptime_in_seconds:{(long)session.Front.Time.GetElapsedTime(session.Front.StartedAt).TotalSeconds}\r\n")),
        ("Clients", static (session, text) => text.Append(CultureInfo.InvariantCulture,
            $"connected_clients:{session.ConnectionCount}\r\nmaxclients:{session.Front.Options.ConnectionsMax}\r\n")),
        ("Persistence", static (_, text) => text.Append("loading:0\r\n")), // ioredis waits for it.
        ("Replication", static (_, text) => text.Append("role:master\r\nconnected_slaves:0\r\n")),
        ("Keyspace", static (session, text) => text.Append(
            session.Front.Store.Count is var count and > 0 ? $"db0:keys={count},expires=0,avg_ttl=0\r\n" : "")),
    ];

    private static bool IsAsked(RespSession session, string name)
    {
        for (var index = 1; index < session.Count; index++)
        {
            if (session.Is(index, Encoding.ASCII.GetBytes(name)) || session.Is(index, "all"u8) || session.Is(index, "default"u8) || session.Is(index, "everything"u8))
            {
                return true;
            }
        }
        return session.Count == 1;
    }

    private static IEnumerable<(string Name, string Value)> Settings(RespSession session)
    {
        var options = session.Front.Options;
        yield return ("appendonly", "no");
        yield return ("databases", "1");
        yield return ("maxclients", options.ConnectionsMax.ToString(CultureInfo.InvariantCulture));
        yield return ("port", session.Connection.Port.ToString(CultureInfo.InvariantCulture));
        yield return ("proto-max-bulk-len", options.ValueBytesMax.ToString(CultureInfo.InvariantCulture));
        yield return ("save", "");
        yield return ("slave-read-only", "yes");
        yield return ("replica-read-only", "yes");
        yield return ("timeout", ((long)(options.IdleTimeout?.TotalSeconds ?? 0)).ToString(CultureInfo.InvariantCulture));
    }
}
