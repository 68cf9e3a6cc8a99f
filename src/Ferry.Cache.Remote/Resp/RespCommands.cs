using System.Collections.Frozen;

namespace Ferry.Cache.Remote.Resp;

/// <summary>What the front answers. A new command is one line here.</summary>
internal static class RespCommands
{
    private const int Many = RespLimits.ArgumentsMax;

    public static readonly IReadOnlyList<RespCommand> All = Number(
    [
        new("GET", 2, 2, RespValueCommands.GetAsync) { SecondsLabel = "get" },
        new("SET", 3, Many, RespSetCommand.RunAsync) { HasFixedReply = true, SecondsLabel = "set" },
        new("SETNX", 3, 3, RespSetCommand.RunAsync) { HasFixedReply = true, SecondsLabel = "set" },
        new("SETEX", 4, 4, RespSetOptions.RefuseExpiryAsync),
        new("PSETEX", 4, 4, RespSetOptions.RefuseExpiryAsync),
        new("EXISTS", 2, Many, RespKeyCommands.ExistsAsync) { HasFixedReply = true },
        new("DEL", 2, Many, RespKeyCommands.DeleteAsync) { HasFixedReply = true },
        new("UNLINK", 2, Many, RespKeyCommands.DeleteAsync) { HasFixedReply = true },
        new("MGET", 2, Many, RespValueCommands.GetManyAsync),
        new("STRLEN", 2, 2, RespValueCommands.LengthAsync),
        new("TYPE", 2, 2, RespKeyCommands.TypeAsync),
        new("SCAN", 2, 8, RespScanCommand.RunAsync),
        new("DBSIZE", 1, 1, RespKeyCommands.CountAsync),
        new("FLUSHDB", 1, 2, RespKeyCommands.FlushAsync),
        new("FLUSHALL", 1, 2, RespKeyCommands.FlushAsync),
        new("PING", 1, 2, RespConnectionCommands.PingAsync),
        new("ECHO", 2, 2, RespConnectionCommands.EchoAsync),
        new("AUTH", 2, 3, RespConnectionCommands.AuthenticateAsync) { IsOpenToAll = true },
        new("HELLO", 1, 7, RespHelloCommand.RunAsync) { IsOpenToAll = true },
        new("CLIENT", 2, Many, RespClientCommand.RunAsync),
        new("SELECT", 2, 2, RespConnectionCommands.SelectAsync),
        new("QUIT", 1, 1, RespConnectionCommands.QuitAsync) { IsOpenToAll = true },
        new("INFO", 1, Many, RespServerCommands.InfoAsync),
        new("CONFIG", 2, Many, RespServerCommands.ConfigAsync),
        new("COMMAND", 1, Many, RespServerCommands.CommandAsync),
        new("FERRY.PEER", 2, 2, RespPeerCommands.IntroduceAsync),
        new("FERRY.FIND", 2, 1 + Peers.PeerWire.KeysMax, RespPeerCommands.FindAsync),
        new("FERRY.READ", 3, 3, RespPeerCommands.ReadAsync),
        new("FERRY.PROVE", 3, 3, RespPeerCommands.ProveAsync),
    ]);

    private static readonly FrozenDictionary<string, RespCommand> ByName = All.ToFrozenDictionary(command => command.Name, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, RespCommand>.AlternateLookup<ReadOnlySpan<char>> ByText = ByName.GetAlternateLookup<ReadOnlySpan<char>>();

    public static IEnumerable<string> Names => ByName.Keys;

    public static RespCommand? TryFind(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[16]; // Longer than any name.
        if (name.Length > text.Length)
        {
            return null;
        }
        for (var index = 0; index < name.Length; index++)
        {
            text[index] = (char)name[index];
        }
        return ByText.TryGetValue(text[..name.Length], out var command) ? command : null;
    }

    private static RespCommand[] Number(RespCommand[] commands)
    {
        for (var index = 0; index < commands.Length; index++)
        {
            commands[index] = commands[index] with { Index = index };
        }
        return commands;
    }
}
