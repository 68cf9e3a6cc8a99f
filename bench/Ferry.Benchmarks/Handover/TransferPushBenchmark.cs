using System.Globalization;
using Ferry.Engine;
using Ferry.Engine.KvCache;
using Ferry.Serving.Options;

namespace Ferry.Benchmarks.Handover;

/// <summary>
/// How long a decode node waits for the KV of one prompt of 8,192 tokens of a 1B-class model in each hand-over mode: <c>transfer-push [rounds] [media, ';' between them] [prefill tokens a second]</c>.
/// The modes of one medium take turns in every round.
/// </summary>
internal static class TransferPushBenchmark
{
    private const int Tokens = 8192;
    private const int Layers = 16;
    private const int Heads = 8;
    private const int HeadDim = 64;
    private const int TensorParallel = 4;

    // auto tries each of its three modes three times before it chooses; and every page of the nodes' memory is touched by then.
    private const int WarmUps = 10;

    private static readonly string[] Media = ["tcp", "shm", "ucx tcp", "ucx tcp,sm"];

    public static void Run(string[] args)
    {
        var rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 11;
        var media = args.Length > 1 ? args[1].Split(';') : Media;
        var rate = args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : 16_384;
        RunAsync(rounds, media, rate).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(int rounds, string[] media, double rate)
    {
        using var pool = new PagedKvPool(Layers, Heads, HeadDim, KvPoolOptions.For(DeviceProfile.Mi300x) with { TensorParallelSize = TensorParallel, BlockCount = Tokens / DeviceProfile.Mi300x.BlockTokens });
        var bytes = pool.BlockBytes * pool.BlockCount;
        Fill(pool);
        Console.WriteLine($"{Tokens} tokens, {bytes >> 20} MiB of KV, prefilled at {rate:F0} tokens/s ({Tokens / rate * 1000:F0} ms); median of {rounds} rounds in which the modes take turns.");
        foreach (var medium in media)
        {
            await MeasureAsync(medium, rounds, rate, pool, bytes);
        }
    }

    private static async Task MeasureAsync(string medium, int rounds, double rate, PagedKvPool pool, long bytes)
    {
        var pairs = new List<PushPair>();
        try
        {
            foreach (var mode in Enum.GetValues<HandoverMode>())
            {
                pairs.Add(await PushPair.StartAsync(mode, medium, pool, bytes));
            }
            var samples = pairs.ConvertAll(_ => new List<PushSample>());
            for (var round = -WarmUps; round < rounds; round++)
            {
                for (var index = 0; index < pairs.Count; index++)
                {
                    var sample = await pairs[index].HandOverAsync(Tokens, rate, verifies: round == -1);
                    if (round >= 0)
                    {
                        samples[index].Add(sample);
                    }
                }
            }
            Console.WriteLine();
            Console.WriteLine($"| {medium} ({pairs[0].Medium}) | KV ready after the prefill's end, ms (min–max) | prefill ms | pushed | of it before its chunk was computed | CPU ms, both nodes |");
            Console.WriteLine("|---|---:|---:|---:|---:|---:|");
            foreach (var (pair, taken) in pairs.Zip(samples))
            {
                Console.WriteLine(Row(pair, taken, bytes));
            }
        }
        finally
        {
            foreach (var pair in pairs)
            {
                await pair.DisposeAsync();
            }
        }
    }

    private static string Row(PushPair pair, List<PushSample> samples, long bytes)
    {
        var chosen = pair.Costs.Count == 0 ? "" : $" ({string.Join(", ", pair.Costs.Select(cost => $"{cost.Mode.Name()} × {cost.Choices}"))})";
        return string.Create(CultureInfo.InvariantCulture,
            $"| {pair.Mode.Name()}{chosen} | {Median(sample => sample.Waited):F1} ({samples.Min(sample => sample.Waited.TotalMilliseconds):F1}–{samples.Max(sample => sample.Waited.TotalMilliseconds):F1}) "
            + $"| {Median(sample => sample.Prefilled):F0} | {Share(sample => sample.PushedBytes)} | {Share(sample => sample.EarlyBytes)} | {Median(sample => sample.CpuTime):F0} |");

        double Median(Func<PushSample, TimeSpan> value) => samples.Select(sample => value(sample).TotalMilliseconds).Median();

        // Records have headers: a whole prompt is a little more than its bytes.
        string Share(Func<PushSample, long> value) => string.Create(CultureInfo.InvariantCulture, $"{Math.Min(100, samples.Average(sample => 100.0 * value(sample) / bytes)):F0} %");
    }

    private static void Fill(PagedKvPool pool)
    {
        for (var rank = 0; rank < pool.TensorParallelSize; rank++)
        {
            var bytes = new byte[pool.RankLayout(rank, Tokens).PayloadBytes];
            new Random(rank).NextBytes(bytes);
            pool.CopyIn(rank, [.. Enumerable.Range(0, pool.BlockCount)], Tokens, 0, bytes);
        }
    }
}
