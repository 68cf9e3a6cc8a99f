using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Kv.Text;
using Ferry.Transfer;

namespace Ferry.Cli.Commands.Transport;

/// <summary><c>ferry transport bench</c></summary>
internal static class BenchCommand
{
    private const int DepthMax = 256;
    private const int StreamsMax = 16;

    public static Command Create()
    {
        var media = new Option<string>("--media") { Description = $"Of {BenchMedium.Names}, comma-separated; a server offers them all", DefaultValueFactory = _ => "tcp,shm", HelpName = "list" };
        var sizes = new Option<string>("--sizes") { Description = "Bytes of one transfer", DefaultValueFactory = _ => "64KiB,1MiB,20MiB", HelpName = "list" };
        var depth = new Option<string>("--depth") { Description = "Transfers in flight", DefaultValueFactory = _ => "1,4", HelpName = "list" };
        var streams = new Option<string>("--streams") { Description = "Connections to the peer that carry or ask for bytes", DefaultValueFactory = _ => "2", HelpName = "list" };
        var direction = new Option<string>("--direction") { Description = "read (pull), write (push), or both", DefaultValueFactory = _ => "read", HelpName = "list" };
        var time = new Option<double>("--time") { Description = "Seconds of one round of a cell", DefaultValueFactory = _ => 1, HelpName = "seconds" };
        var rounds = new Option<int>("--rounds") { Description = "Rounds of each cell, alternating with its limit; the median counts", DefaultValueFactory = _ => 3, HelpName = "count" };
        var listen = new Option<string?>("--listen") { Description = "Be the server: lend memory at this own address until stopped", HelpName = "HOST:PORT" };
        var peer = new Option<string?>("--peer") { Description = "Measure the way to a server, or to any node, instead of to a second process of this host", HelpName = "HOST:PORT" };
        var lend = new Option<string>("--lend") { Description = "Memory that --listen lends", DefaultValueFactory = _ => "256MiB", HelpName = "bytes" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var chart = new Option<bool>("--chart") { Description = "Draw the rates as bars below the table" };
        var stopOnStdinClose = new Option<bool>("--stop-on-stdin-close") { Hidden = true };
        var command = new FerryCommand("bench", "Measure how fast bytes move by each medium, beside the limit of this machine in the same run.",
            new CommandExample("ferry transport bench --media tcp,shm --sizes 1MiB,20MiB", "Two processes of this host"),
            new CommandExample("ferry transport bench --listen 10.0.0.1:5600", $"The server of a measurement between two hosts; both take the secret from {NodeCredentials.SecretVariable}"),
            new CommandExample("ferry transport bench --peer 10.0.0.1:5600 --media tcp --streams 1,2,4 --direction read,write --json", "Its client on the other host, for a program"))
        { media, sizes, depth, streams, direction, time, rounds, listen, peer, lend, json, chart, stopOnStdinClose };
        command.SetAction(async (result, cancellationToken) =>
        {
            var output = result.InvocationConfiguration.Output;
            var credentials = NodeCredentials.Read();
            if (result.GetValue(listen) is { } own)
            {
                return result.GetValue(peer) is null
                    ? await BenchServer.RunAsync([.. List("--media", result.GetValue(media)!, Medium)], own, Bytes("--lend", result.GetValue(lend)!), credentials, result.GetValue(stopOnStdinClose), output, cancellationToken)
                    : throw new UsageException("--listen and --peer exclude each other: one end lends, the other measures.");
            }
            var question = new BenchQuestion(
                [.. List("--media", result.GetValue(media)!, Medium)],
                [.. List("--sizes", result.GetValue(sizes)!, text => Bytes("--sizes", text))],
                [.. List("--depth", result.GetValue(depth)!, text => Number("--depth", text, DepthMax))],
                [.. List("--streams", result.GetValue(streams)!, text => Number("--streams", text, StreamsMax))],
                [.. List("--direction", result.GetValue(direction)!, Direction)],
                result.GetValue(time) is > 0 and <= 600 and var seconds ? TimeSpan.FromSeconds(seconds) : throw new UsageException($"--time is {result.GetValue(time)}; it must lie in (0, 600] seconds."),
                result.GetValue(rounds) is >= 1 and <= 99 and var count ? count : throw new UsageException($"--rounds is {result.GetValue(rounds)}; it must lie in 1..99."),
                result.GetValue(peer), credentials);
            return await BenchReport.RunAsync(question, result.GetValue(json), result.GetValue(chart), output, cancellationToken);
        });
        return command;
    }

    internal static long Bytes(string option, string text) => ByteSize.TryParse(text, 1, out var bytes) && bytes is >= 1 and <= 64L << 30
        ? bytes
        : throw new UsageException($"{option}: '{text}' is not a size from 1 B to 64 GiB ({ByteSize.UnitList}).");

    private static IEnumerable<T> List<T>(string option, string text, Func<string, T> parse)
    {
        var words = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return words.Length is >= 1 and <= 32 ? words.Select(parse) : throw new UsageException($"{option} is '{text}'; give 1 to 32 words between commas.");
    }

    private static BenchMedium Medium(string name) => BenchMedium.All.FirstOrDefault(one => one.Name == name) ?? throw new UsageException(
        $"--media: '{name}' is unknown.{(NearestName.Find(name, BenchMedium.All.Select(one => one.Name)) is { } nearest ? $" Did you mean '{nearest}'?" : "")} Known: {BenchMedium.Names}.");

    private static int Number(string option, string text, int max) => int.TryParse(text, out var number) && number >= 1 && number <= max
        ? number
        : throw new UsageException($"{option}: '{text}' is not a number from 1 to {max}.");

    private static TransferDirection Direction(string text) => text switch
    {
        "read" => TransferDirection.Read,
        "write" => TransferDirection.Write,
        _ => throw new UsageException($"--direction: '{text}' is neither read nor write."),
    };
}
