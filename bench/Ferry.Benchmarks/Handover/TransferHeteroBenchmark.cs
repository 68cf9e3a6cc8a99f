using System.Diagnostics;
using Ferry.Transfer.Handover;

namespace Ferry.Benchmarks.Handover;

/// <summary>
/// Hand-over of one prompt of 8,192 tokens of a 1B-class model between paged pools, over each medium: alike pools beside unlike ones, in
/// alternating rounds of one run. Both ends are in this process, so CPU seconds are those of both.
/// </summary>
internal static class TransferHeteroBenchmark
{
    private static readonly string[] Media = ["in-process", "tcp", "shm", "ucx tcp", "ucx tcp,sm"];

    private readonly record struct Sample(double Seconds, double CpuSeconds);

    public static void Run(string[] args)
    {
        if (args is ["prompt", ..])
        {
            RunPromptAsync(args.Length > 1 ? int.Parse(args[1]) : 11).GetAwaiter().GetResult();
            return;
        }
        var rounds = args.Length > 0 ? int.Parse(args[0]) : 11;
        var media = args.Length > 1 ? args[1].Split(';') : Media;
        var filter = args.Length > 2 ? args[2] : "";
        HandoverRoute? route = args.Length > 3 ? Enum.Parse<HandoverRoute>(args[3]) : null;
        RunAsync(rounds, media, filter, route).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(int rounds, string[] media, string filter, HandoverRoute? route)
    {
        Console.WriteLine($"{HandoverCase.Tokens} tokens, {HandoverCase.All[0].Bytes / 1048576} MiB of KV; median of {rounds} rounds, each beside one of the same layout.");
        foreach (var medium in media)
        {
            Console.WriteLine();
            Console.WriteLine($"| {medium} | prompt ms | GB/s | of same layout (min–max) | CPU-s/GB | same layout's | wire MiB | mean piece KiB | conversion CPU ms | route |");
            Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|");
            await using var inOrder = await HandoverRig.StartAsync(HandoverCase.All[0], medium);
            await using var scattered = await HandoverRig.StartAsync(HandoverCase.All[1], medium);
            foreach (var one in HandoverCase.All.Where(one => one.Name.Contains(filter, StringComparison.Ordinal)).Select(one => one with { Route = route ?? one.Route }))
            {
                var same = one.Scattered ? scattered : inOrder;
                await using var rig = await HandoverRig.StartAsync(one, medium);
                var (alike, unlike) = await MeasureAsync(same, rig, rounds);
                Console.WriteLine(Row(one, alike, unlike, rig));
            }
        }
    }

    /// <summary>One prompt from the offer to the release, a line a medium.</summary>
    private static async Task RunPromptAsync(int rounds)
    {
        var (alikePools, unlikePools) = (HandoverCase.All[0], HandoverCase.All[2]);
        Console.WriteLine($"One prompt of {HandoverCase.Tokens} tokens, {alikePools.Bytes / 1048576} MiB of KV; median of {rounds} alternating rounds.");
        Console.WriteLine();
        Console.WriteLine($"| medium | {alikePools.Name}: ms (min–max) | {unlikePools.Name}: ms (min–max) | GB/s | of same layout (min–max) | route |");
        Console.WriteLine("|---|---:|---:|---:|---:|---|");
        foreach (var medium in Media)
        {
            await using var same = await HandoverRig.StartAsync(alikePools, medium);
            await using var rig = await HandoverRig.StartAsync(unlikePools, medium);
            var (alike, unlike) = await MeasureAsync(same, rig, rounds);
            Console.WriteLine($"| {medium} ({rig.Medium}) | {Milliseconds(alike)} | {Milliseconds(unlike)} "
                + $"| {unlikePools.Bytes / 1e9 / unlike.Select(sample => sample.Seconds).Median():F2} | {Ratios(unlikePools, alike, unlike)} | {rig.Report!.Route} |");
        }
    }

    private static async Task<(List<Sample> Alike, List<Sample> Unlike)> MeasureAsync(HandoverRig same, HandoverRig rig, int rounds)
    {
        var (alike, unlike) = (new List<Sample>(), new List<Sample>());
        for (var round = -2; round < rounds; round++) // two rounds to warm up
        {
            var first = round % 2 == 0;
            var a = await TakeAsync(first ? same : rig);
            var b = await TakeAsync(first ? rig : same);
            if (round == -2)
            {
                rig.Verify();
            }
            if (round >= 0)
            {
                alike.Add(first ? a : b);
                unlike.Add(first ? b : a);
            }
        }
        return (alike, unlike);
    }

    private static string Row(HandoverCase one, List<Sample> alike, List<Sample> unlike, HandoverRig rig)
    {
        var gigabytes = one.Bytes / 1e9;
        var seconds = unlike.Select(sample => sample.Seconds).Median();
        var report = rig.Report!;
        return $"| {one.Name} | {seconds * 1000:F0} | {gigabytes / seconds:F2} | {Ratios(one, alike, unlike)} "
            + $"| {unlike.Select(sample => sample.CpuSeconds).Median() / gigabytes:F2} | {alike.Select(sample => sample.CpuSeconds).Median() / (HandoverCase.All[0].Bytes / 1e9):F2} | {report.WireBytes * one.Targets.Length / 1048576} | {report.WireBytes / report.Pieces / 1024} "
            + $"| {report.ConvertTime.TotalMilliseconds * one.Targets.Length:F0} | {report.Route} |";
    }

    /// <summary>Of rates, since not every case has as many bytes.</summary>
    private static string Ratios(HandoverCase one, List<Sample> alike, List<Sample> unlike)
    {
        var larger = (double)one.Bytes / HandoverCase.All[0].Bytes;
        var ratios = unlike.Zip(alike, (u, s) => larger * s.Seconds / u.Seconds).Order().ToArray();
        return $"{ratios[ratios.Length / 2]:F2} ({ratios[0]:F2}–{ratios[^1]:F2})";
    }

    private static string Milliseconds(List<Sample> samples) =>
        $"{samples.Select(sample => sample.Seconds).Median() * 1000:F0} ({samples.Min(sample => sample.Seconds) * 1000:F0}–{samples.Max(sample => sample.Seconds) * 1000:F0})";

    private static async Task<Sample> TakeAsync(HandoverRig rig)
    {
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await rig.HandOverAsync();
        var seconds = clock.Elapsed.TotalSeconds;
        process.Refresh();
        return new Sample(seconds, (process.TotalProcessorTime - cpu).TotalSeconds);
    }
}
