using System.Runtime.Intrinsics;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;

namespace Ferry.Benchmarks;

/// <summary>
/// Conversion plans against <see cref="Buffer.MemoryCopy(void*, void*, long, long)"/> on one thread: bytes read and written a second of
/// thread CPU time, each plan alternating with copies of as many bytes.
/// </summary>
internal static unsafe class ConversionBenchmark
{
    /// <summary>80 layers, 2 heads of 128, 256 tokens in bf16: one rank's chunk of a 70B model at TP 4, 20 MiB.</summary>
    private const int Layers = 80;
    private const double LayoutBar = 0.60;
    private const double CastBar = 0.40;

    private sealed record Case(string Name, KvLayout[] Sources, KvLayout Target, double Bar);

    public static void Run(string[] args)
    {
        var rounds = args.Length > 0 ? int.Parse(args[0]) : 25;
        var filter = args.Length > 1 ? args[1] : "";
        Console.WriteLine($"Vector512 {(Vector512.IsHardwareAccelerated ? "yes" : "no")}, {rounds} rounds, .NET {Environment.Version}, {Cpu()}");
        Console.WriteLine();
        Console.WriteLine("| conversion | read + written MiB | GB/s best | copy GB/s best | ratio best | ratio median | bar |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var item in Cases().Where(item => item.Name.Contains(filter, StringComparison.Ordinal))) { Measure(item, rounds); }
    }

    private static IEnumerable<Case> Cases()
    {
        var hnd = Shape(KvOrder.Hnd, KvPacking.Interleaved, 16);
        var gaudi = Shape(KvOrder.Nhd, KvPacking.Split, 128);
        var nhd = Shape(KvOrder.Nhd, KvPacking.Interleaved, 16);
        var flat = Shape(KvOrder.TwoLtd, KvPacking.Split, 0);
        var t2d = Shape(KvOrder.T2d, KvPacking.Split, 0);
        yield return Layout("memory copy (identity)", [hnd.ForRank(0, 4)], hnd.ForRank(0, 4));
        yield return Layout("mi300x TP4 → gaudi3 TP4", [hnd.ForRank(0, 4)], gaudi.ForRank(0, 4));
        yield return Layout("mi300x TP4 → gaudi3 TP2 (two sources)", [hnd.ForRank(0, 4), hnd.ForRank(1, 4)], gaudi.ForRank(0, 2));
        yield return Layout("gaudi3 TP4 → mi300x TP4", [gaudi.ForRank(0, 4)], hnd.ForRank(0, 4));
        yield return Layout("NHD → HND", [nhd.ForRank(0, 4)], hnd.ForRank(0, 4));
        yield return Layout("HND → NHD", [hnd.ForRank(0, 4)], nhd.ForRank(0, 4));
        yield return Layout("2LTD → HND 16", [flat.ForRank(0, 4)], hnd.ForRank(0, 4));
        yield return Layout("HND 16 → 2LTD", [hnd.ForRank(0, 4)], flat.ForRank(0, 4));
        yield return Layout("T2D → 2LTD", [t2d.ForRank(0, 4)], flat.ForRank(0, 4));
        yield return Layout("2LTD → T2D", [flat.ForRank(0, 4)], t2d.ForRank(0, 4));
        // Twice the layers, so that the target is 20 MiB here too: smaller copies stay in the third-level cache and prove nothing.
        yield return Layout("TP4 → TP8, HND 16, 160 layers", [(hnd with { Layers = 160 }).ForRank(0, 4)], (hnd with { Layers = 160 }).ForRank(1, 8));
        yield return Layout("TP4 → TP8, 2LTD, 160 layers", [(flat with { Layers = 160 }).ForRank(0, 4)], (flat with { Layers = 160 }).ForRank(1, 8));
        yield return Layout("TP8 → TP1, HND 16, 20 layers", Ranks(hnd with { Layers = 20 }, 8), (hnd with { Layers = 20 }).ForRank(0, 1));
        yield return Layout("TP8 → TP1, 2LTD, 20 layers", Ranks(flat with { Layers = 20 }, 8), (flat with { Layers = 20 }).ForRank(0, 1));
        yield return Cast("bf16 → fp16", hnd, KvDType.BFloat16, 1f, KvDType.Float16, 1f);
        yield return Cast("fp16 → bf16", hnd, KvDType.Float16, 1f, KvDType.BFloat16, 1f);
        yield return Cast("bf16 → fp32", hnd, KvDType.BFloat16, 1f, KvDType.Float32, 1f);
        yield return Cast("fp32 → bf16", hnd with { Layers = 40 }, KvDType.Float32, 1f, KvDType.BFloat16, 1f);
        yield return Cast("bf16 → e4m3fn", hnd, KvDType.BFloat16, 1f, KvDType.Float8E4M3Fn, 0.05f);
        yield return Cast("bf16 → e4m3fn, no scale", hnd, KvDType.BFloat16, 1f, KvDType.Float8E4M3Fn, 1f);
        yield return Cast("bf16 → e4m3fnuz", hnd, KvDType.BFloat16, 1f, KvDType.Float8E4M3Fnuz, 0.05f);
        yield return Cast("e4m3fnuz → e4m3fn, half the scale", hnd with { Layers = 160 }, KvDType.Float8E4M3Fnuz, 0.5f, KvDType.Float8E4M3Fn, 0.25f);
        yield return Cast("e4m3fn → bf16", hnd with { Layers = 160 }, KvDType.Float8E4M3Fn, 0.05f, KvDType.BFloat16, 1f);
        yield return Cast("e4m3fn → fp32", hnd with { Layers = 160 }, KvDType.Float8E4M3Fn, 0.05f, KvDType.Float32, 1f);
        var fnuz = hnd with { Layers = 160, DType = KvDType.Float8E4M3Fnuz, Scale = 0.5f };
        yield return new Case("mi300x fnuz → gaudi3 fn, TP4", [fnuz.ForRank(0, 4)],
            (gaudi with { Layers = 160, DType = KvDType.Float8E4M3Fn, Scale = 0.25f }).ForRank(0, 4), CastBar);
        yield return new Case("mi300x fnuz → gaudi3 bf16, TP4", [fnuz.ForRank(0, 4)], (gaudi with { Layers = 160 }).ForRank(0, 4), CastBar);
    }

    private static KvLayout[] Ranks(KvLayout layout, int size) => [.. Enumerable.Range(0, size).Select(rank => layout.ForRank(rank, size))];

    private static Case Layout(string name, KvLayout[] sources, KvLayout target) => new(name, sources, target, LayoutBar);

    private static Case Cast(string name, KvLayout shape, KvDType source, float sourceScale, KvDType target, float targetScale) =>
        new(name, [(shape with { DType = source, Scale = sourceScale }).ForRank(0, 4)],
            (shape with { DType = target, Scale = targetScale }).ForRank(0, 4), CastBar);

    private static KvLayout Shape(KvOrder order, KvPacking packing, int blockTokens) => new()
    {
        Layers = Layers,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 128,
        Tokens = 256,
        BlockTokens = blockTokens,
        DType = KvDType.BFloat16,
        Order = order,
        Packing = packing,
    };

    private static void Measure(Case item, int rounds)
    {
        var plan = ConversionPlan.Create(item.Sources, item.Target);
        using var target = new AlignedBytes(item.Target.PayloadBytes, seed: 1);
        AlignedBytes[] sources = [.. item.Sources.Select((layout, index) => new AlignedBytes(layout.PayloadBytes, seed: index + 2))];
        for (var index = 0; index < sources.Length; index++) { FillAsKv(sources[index].Memory.Span, item.Sources[index].DType); }
        ReadOnlyMemory<byte>[] payloads = [.. sources.Select(source => (ReadOnlyMemory<byte>)source.Memory)];
        var movedBytes = item.Sources.Sum(layout => ReadBytes(layout, item.Target)) + item.Target.PayloadBytes;
        using var copySource = new AlignedBytes(movedBytes / 2, seed: 3);
        using var copyTarget = new AlignedBytes(movedBytes / 2, seed: 4);

        var (convertSeconds, copySeconds) = (new double[rounds], new double[rounds]);
        for (var round = -2; round < rounds; round++)                        // two rounds to warm up
        {
            var convert = Time(() => plan.Run(payloads, target.Memory.Span));
            var copy = Time(() => Buffer.MemoryCopy(copySource.Pointer, copyTarget.Pointer, movedBytes / 2, movedBytes / 2));
            if (round >= 0) { (convertSeconds[round], copySeconds[round]) = (convert, copy); }
        }
        foreach (var source in sources) { source.Dispose(); }

        var ratios = convertSeconds.Zip(copySeconds, (convert, copy) => copy / convert).Order().ToArray();
        var best = copySeconds.Min() / convertSeconds.Min();
        var median = ratios[rounds / 2];
        var verdict = median >= item.Bar ? "met" : "short";
        Console.WriteLine(
            $"| {item.Name} | {movedBytes / 1048576.0:F0} | {movedBytes / convertSeconds.Min() / 1e9:F1} | {movedBytes / copySeconds.Min() / 1e9:F1} " +
            $"| {best:P0} | {median:P0} | {item.Bar:P0} {verdict} |");
    }

    /// <summary>Numbers around 0 with a deviation of 1, as keys and values are; codes of fp8 stay as they came. Of random bits one fp16 in 32 would be a subnormal, which costs some processors a hundred cycles.</summary>
    private static void FillAsKv(Span<byte> bytes, KvDType dtype)
    {
        if (dtype.IsFp8()) { return; }
        var random = new Random(5);
        var some = bytes[..Math.Min(bytes.Length, 1 << 20)];
        for (var at = 0; at < some.Length; at += dtype.Bytes())
        {
            var value = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
            var code = ElementCodec.Encode(dtype, value);
            if (dtype.Bytes() == 2) { BitConverter.TryWriteBytes(some[at..], (ushort)code); } else { BitConverter.TryWriteBytes(some[at..], code); }
        }
        for (var at = some.Length; at < bytes.Length; at += some.Length) { some[..Math.Min(some.Length, bytes.Length - at)].CopyTo(bytes[at..]); }
    }

    /// <summary>Source bytes that the target needs: only its heads.</summary>
    private static long ReadBytes(KvLayout source, KvLayout target)
    {
        var shared = Math.Min(source.FirstHead + source.Heads, target.FirstHead + target.Heads) - Math.Max(source.FirstHead, target.FirstHead);
        return source.PayloadBytes / source.Heads * shared;
    }

    private static double Time(Action action)
    {
        var start = ThreadCpuClock.Now();
        action();
        return (ThreadCpuClock.Now() - start).TotalSeconds;
    }

    private static string Cpu() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown CPU";
}
