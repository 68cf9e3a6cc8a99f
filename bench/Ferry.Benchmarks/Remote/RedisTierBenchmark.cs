using Ferry.Cache.Remote.Redis;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Ferry.Benchmarks.Remote;

/// <summary>
/// The Redis tier against plain StackExchange.Redis (SET of memory, GET into a lease, as many connections as the tier has), on one real redis-server that this
/// brings up, in alternating rounds of one run. Ferry's side asks whether a record is there, names it in its index, and proves what it reads.
/// </summary>
internal static class RedisTierBenchmark
{
    private const int Rounds = 7;

    private sealed record Case(string Name, int PayloadBytes, int Parallel, int PerWorker);

    public static void Run(string[] args) => RunAsync().GetAwaiter().GetResult();

    private static async Task RunAsync()
    {
        await using var lab = await RedisLab.StartAsync();
        var options = new RedisTierOptions
        {
            Location = new RedisLocation([("127.0.0.1", lab.Port)], false, null, 0, "bench/", null),
            RequestDeadline = TimeSpan.FromMinutes(1), // What is measured is speed, not patience.
            Environment = _ => null,
        };
        await using var tier = new RedisTier(options, TimeProvider.System, NullLogger<RedisTier>.Instance);
        var plain = new List<ConnectionMultiplexer>();
        for (var connection = 0; connection < options.Connections - 1; connection++) // The tier's first is for small questions.
        {
            plain.Add(await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{lab.Port},asyncTimeout=60000"));
        }
        var admin = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{lab.Port},allowAdmin=true");

        Console.WriteLine("| record | at a time | | Ferry MB/s | StackExchange.Redis MB/s | Ferry / plain (least–greatest) | Ferry CPU-s/GB | plain CPU-s/GB |");
        Console.WriteLine("|---|---:|---|---:|---:|---:|---:|---:|");
        var number = 0;
        foreach (var one in Cases())
        {
            var records = new BenchRecords(one.PayloadBytes, one.Parallel);
            IDatabase Plain(int worker) => plain[worker % plain.Count].GetDatabase();
            var put = await AlternatingRun.RunAsync(Rounds,
                async _ => await InParallelAsync(one, worker => PutByFerryAsync(tier, records, worker, Interlocked.Increment(ref number))),
                async _ => await InParallelAsync(one, worker => Plain(worker).StringSetAsync($"plain/{Interlocked.Increment(ref number)}", (ReadOnlyMemory<byte>)records.Destination(worker))));
            Print(one, "SET", put, records.RecordBytes);
            await admin.GetServers()[0].FlushDatabaseAsync();

            var found = new List<TierRecord>();
            for (var count = 0; count < one.Parallel * one.PerWorker; count++)
            {
                await PutByFerryAsync(tier, records, 0, ++number);
                found.AddRange(await tier.FindAsync(new KvKey("", TestRecords.Model, BenchRecords.Hash(number)), CancellationToken.None));
                await plain[0].GetDatabase().StringSetAsync($"plain/{count}", (ReadOnlyMemory<byte>)records.Destination(0));
            }
            var get = await AlternatingRun.RunAsync(Rounds,
                async _ => await InParallelAsync(one, async (worker, index) =>
                {
                    if ((await tier.ReadAsync(found[index], records.Destination(worker), CancellationToken.None)).Outcome != TierReadOutcome.Read)
                    {
                        throw new InvalidOperationException("A record was not read.");
                    }
                }),
                async _ => await InParallelAsync(one, async (worker, index) =>
                {
                    using var lease = await Plain(worker).StringGetLeaseAsync($"plain/{index}");
                    lease!.Span.CopyTo(records.Destination(worker).Span); // As the tier must: the caller says where the bytes go.
                }));
            Print(one, "GET", get, records.RecordBytes);
            await admin.GetServers()[0].FlushDatabaseAsync();
        }
        await admin.DisposeAsync();
        foreach (var connection in plain)
        {
            await connection.DisposeAsync();
        }
    }

    private static IEnumerable<Case> Cases()
    {
        foreach (var (name, bytes, objects) in new[] { ("64 KiB", 64 << 10, 512), ("1 MiB", 1 << 20, 64), ("20 MiB", 20 << 20, 8), ("80 MiB", 80 << 20, 4) })
        {
            foreach (var parallel in new[] { 1, 4 })
            {
                yield return new Case(name, bytes, parallel, objects / parallel);
            }
        }
    }

    private static void Print(Case one, string what, AlternatingRun run, int recordBytes)
    {
        var gigabytes = (double)recordBytes * one.Parallel * one.PerWorker / 1e9;
        var (median, least, greatest) = run.SpeedAgainst(1);
        Console.WriteLine($"| {one.Name} | {one.Parallel} | {what} | {gigabytes * 1000 / run.Seconds(0):F0} | {gigabytes * 1000 / run.Seconds(1):F0} "
            + $"| {median:F2} ({least:F2}–{greatest:F2}) | {run.CpuSeconds(0) / gigabytes:F2} | {run.CpuSeconds(1) / gigabytes:F2} |");
    }

    private static Task InParallelAsync(Case one, Func<int, Task> work) => InParallelAsync(one, (worker, _) => work(worker));

    private static Task InParallelAsync(Case one, Func<int, int, Task> work) => Task.WhenAll(Enumerable.Range(0, one.Parallel).Select(worker => Task.Run(async () =>
    {
        for (var index = worker; index < one.Parallel * one.PerWorker; index += one.Parallel)
        {
            await work(worker, index);
        }
    })));

    private static async Task PutByFerryAsync(RedisTier tier, BenchRecords records, int worker, int number)
    {
        var (header, record) = records.Next(worker, number);
        if (await tier.PutAsync(header, record, CancellationToken.None) != TierPutOutcome.Stored)
        {
            throw new InvalidOperationException("A record was not stored.");
        }
    }
}
