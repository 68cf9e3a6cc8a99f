using System.Diagnostics;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;

namespace Ferry.Benchmarks.Transfer;

/// <summary>Whether a byte costs the same with many peers, and with many descriptors.</summary>
internal static class TransferGrowth
{
    private const int ArenaBytes = 128 << 20;
    private const int TransferBytes = 16 << 20;

    public static async Task MeasureAsync(TimeSpan round, int rounds)
    {
        Console.WriteLine();
        Console.WriteLine("| READ over TCP of 16 MiB in all, 4 in flight | descriptors | GB/s | ns/KiB | CPU-s/GB |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        foreach (var descriptors in new[] { 1, 16, 256, 1024, 4096 })
        {
            await MeasureAsync("1 peer", 1, descriptors, 4, round, rounds);
        }
        Console.WriteLine();
        Console.WriteLine("| READ over TCP of 16 MiB, one in flight at each peer of one agent | descriptors | GB/s | ns/KiB | CPU-s/GB |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        foreach (var peers in new[] { 1, 4, 16, 64 })
        {
            await MeasureAsync($"{peers} peers", peers, 1, 1, round, rounds);
        }
    }

    private static async Task MeasureAsync(string title, int peerCount, int descriptorCount, int depth, TimeSpan round, int rounds)
    {
        await using var asker = await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = "asker", Port = 0 }, CancellationToken.None);
        var target = new TestArena(asker, ArenaBytes);
        var owners = new List<TcpTransferAgent>();
        var plans = new List<(ITransferPeer Peer, TransferDescriptor[] Plan)>();
        for (var i = 0; i < peerCount; i++)
        {
            var owner = await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = $"owner {i}", Port = 0 }, CancellationToken.None);
            owners.Add(owner);
            var source = new TestArena(owner, TransferBytes);
            var lease = owner.Leases.TryGrant([source.All], TimeSpan.FromSeconds(400))!;
            var peer = (await asker.ConnectAsync(owner.Endpoint, CancellationToken.None)).Peer!;
            for (var slot = 0; slot < depth; slot++)
            {
                plans.Add((peer, Plan(lease, source, target, (i * depth + slot) % (ArenaBytes / TransferBytes) * (long)TransferBytes, descriptorCount)));
            }
        }
        using var process = Process.GetCurrentProcess();
        var samples = new List<(double Seconds, double Cpu)>();
        for (var n = -1; n < rounds; n++)
        {
            process.Refresh();
            var cpu = process.TotalProcessorTime;
            var clock = Stopwatch.StartNew();
            long bytes = 0;
            await Task.WhenAll(plans.Select(async one =>
            {
                do
                {
                    var outcome = await one.Peer.ReadAsync(one.Plan, CancellationToken.None);
                    if (!outcome.IsSuccess)
                    {
                        throw new InvalidOperationException(outcome.ToString());
                    }
                    Interlocked.Add(ref bytes, TransferBytes);
                }
                while (clock.Elapsed < round);
            }));
            process.Refresh();
            if (n >= 0)
            {
                samples.Add((clock.Elapsed.TotalSeconds / bytes, (process.TotalProcessorTime - cpu).TotalSeconds / bytes));
            }
        }
        var perByte = samples.Select(one => one.Seconds).Median();
        Console.WriteLine($"| {title} | {descriptorCount} | {1e-9 / perByte:F2} | {perByte * 1024 * 1e9:F0} | {samples.Select(one => one.Cpu).Median() * 1e9:F2} |");
        foreach (var peer in plans.Select(one => one.Peer).Distinct())
        {
            await peer.DisposeAsync();
        }
        foreach (var owner in owners)
        {
            await owner.DisposeAsync();
        }
    }

    // Neighbours change places, so that no two pieces touch.
    private static TransferDescriptor[] Plan(Lease lease, TestArena source, TestArena target, long at, int count)
    {
        var bytes = TransferBytes / count;
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var piece = count == 1 ? 0 : i ^ 1;
            return new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, (long)piece * bytes, bytes), target.Region, at + (long)piece * bytes);
        })];
    }
}
