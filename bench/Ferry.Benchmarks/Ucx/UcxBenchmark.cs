using System.Diagnostics;
using Ferry.Benchmarks.Router;
using Ferry.Transfer;
using Ferry.Transfer.Ucx;
using Ferry.Transfer.Ucx.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks.Ucx;

/// <summary>
/// Ferry's GET and PUT by UCX beside ucx_perftest of the same library, transport and settings, in alternating rounds of one run. Both sides
/// move one block between the same two places again and again: equally hot. In every round both make a new connection and take new memory of
/// just that size, which UCX allocates and nobody has written, so that neither has what the other has not: which pages one gets, and that those
/// never written are one page of zeros, shows in the figures.
/// </summary>
internal static class UcxBenchmark
{
    private const int RoundsDefault = 5;
    private const double RoundSeconds = 0.3;

    private static readonly (string Name, string Transports)[] Media =
    [
        ("tcp (loopback)", "tcp"),
        ("posix (memory that both map)", "posix,tcp"),
        ("sysv (memory that both map)", "sysv,tcp"),
    ];

    private static readonly int[] Sizes = [64 << 10, 1 << 20, 20 << 20, 84 << 20];

    public static void Run(string[] args) => RunAsync(args.Length > 0 ? int.Parse(args[0]) : RoundsDefault, args.Length > 1 ? args[1] : null).GetAwaiter().GetResult();

    private static async Task RunAsync(int rounds, string? only)
    {
        if (!DebianPackages.Ensure("ucx-utils", Perftest.Program))
        {
            Console.WriteLine($"{Perftest.Program} is missing: apt-get install ucx-utils");
            return;
        }
        UcxEnvironment.SetHere();
        Console.WriteLine($"UCX {UcxLibrary.Require().Release}, error handling on, {string.Join(", ", UcxEnvironment.Values.Select(one => $"{one.Name}={one.Value}"))} on both; {Environment.ProcessorCount} cores; median of {rounds} rounds of about {RoundSeconds} s.");
        foreach (var (name, transports) in Media.Where(one => only is null || one.Transports == only))
        {
            Console.WriteLine();
            await PrintLanesAsync(transports);
            Console.WriteLine($"| {name}, UCX_TLS={transports} | in flight | Ferry GB/s | ucx_perftest GB/s | ratio (min–max) |");
            Console.WriteLine("|---|---:|---:|---:|---:|");
            await MeasureAsync(transports, rounds);
        }
    }

    private static async Task PrintLanesAsync(string transports)
    {
        using var server = UcxServerProcess.Start(transports);
        using var context = UcxContext.Create(new UcxOptions { Transports = transports });
        await using var worker = await UcxWorker.StartAsync(context, NullLogger.Instance);
        await worker.ReadByMessagesAsync(UcxServerProcess.ClientToken);
        using var local = context.Allocate(4096);
        var endpoint = await worker.ConnectAsync(server.Worker, peer: UcxServerProcess.ServerToken);
        var (packed, address) = server.Lend(4096, worker);
        var key = await endpoint.UnpackKeyAsync(packed);
        await endpoint.GetAsync(local, 0, address, key, 4096, CancellationToken.None);
        Console.WriteLine($"Ferry's endpoint takes {await endpoint.DescribeAsync()}{(endpoint.ReadsByMessage ? ", and reads by messages" : "")}.");
        Console.WriteLine();
        await endpoint.DisposeAsync();
    }

    private static async Task MeasureAsync(string transports, int rounds)
    {
        using var server = UcxServerProcess.Start(transports);
        using var context = UcxContext.Create(new UcxOptions { Transports = transports });
        await using var worker = await UcxWorker.StartAsync(context, NullLogger.Instance);
        await Cores.PinAsync(worker, Cores.Client);
        await worker.ReadByMessagesAsync(UcxServerProcess.ClientToken);
        foreach (var direction in new[] { TransferDirection.Read, TransferDirection.Write })
        {
            foreach (var inFlight in new[] { 1, 4 })
            {
                foreach (var bytes in Sizes)
                {
                    await CompareAsync(worker, server, direction, bytes, inFlight, transports, rounds);
                }
            }
        }
    }

    private static async Task CompareAsync(
        UcxWorker worker, UcxServerProcess server, TransferDirection direction, long bytes, int inFlight, string transports, int rounds)
    {
        var trial = await MineAsync(Math.Max(4, (int)((64L << 20) / bytes)));
        var count = (int)Math.Clamp(trial * 1e9 * RoundSeconds / bytes, 4, 500_000); // what fills a round
        var (ferry, perftest) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            if (round % 2 == 0)
            {
                ferry.Add(await MineAsync(count));
                perftest.Add(await TheirsAsync());
            }
            else
            {
                perftest.Add(await TheirsAsync());
                ferry.Add(await MineAsync(count));
            }
        }
        var ratios = ferry.Zip(perftest, (mine, theirs) => mine / theirs).Order().ToArray();
        var size = bytes < 1 << 20 ? $"{bytes >> 10} KiB" : $"{bytes >> 20} MiB";
        Console.WriteLine($"| {(direction == TransferDirection.Read ? "GET" : "PUT")} {size} | {inFlight} | {ferry.Median():F2} | {perftest.Median():F2} | {ratios[ratios.Length / 2]:F2} ({ratios[0]:F2}–{ratios[^1]:F2}) |");

        Task<double> TheirsAsync() => Perftest.RunAsync(direction, bytes, inFlight, count, transports);

        async Task<double> MineAsync(int operations)
        {
            var (packed, address) = server.Lend(bytes, worker);
            using var local = worker.Context.Allocate(bytes);
            await using var endpoint = await worker.ConnectAsync(server.Worker, peer: UcxServerProcess.ServerToken);
            var key = await endpoint.UnpackKeyAsync(packed);
            var piece = new UcxPiece(local, 0, key, address, bytes);
            await MoveAsync(endpoint, direction, piece, inFlight, Perftest.WarmUps(operations));
            return await MoveAsync(endpoint, direction, piece, inFlight, operations);
        }
    }

    /// <summary>GB/s of one transfer of <paramref name="count"/> operations, flushed at its end as perftest's is.</summary>
    private static async Task<double> MoveAsync(UcxEndpoint endpoint, TransferDirection direction, UcxPiece piece, int inFlight, int count)
    {
        var transfer = new UcxTransfer(endpoint, direction, new Repeated(piece, count), inFlight, piece.Bytes);
        var clock = Stopwatch.StartNew();
        endpoint.Worker.Post(transfer);
        var status = await transfer.Done;
        return status == UcsStatus.Ok
            ? count * piece.Bytes / clock.Elapsed.TotalSeconds / 1e9
            : throw new InvalidOperationException($"UCX: {endpoint.Worker.Context.Api.Describe(status)}");
    }
}
