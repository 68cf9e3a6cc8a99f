using System.Diagnostics;
using System.Globalization;
using Ferry.Engine.Model;
using Ferry.TestKit;

namespace Ferry.Benchmarks.Engine;

/// <summary>Ferry's engine beside llama.cpp on the same synthetic bf16 weights, in alternating rounds: docs/measurements/engine.md.</summary>
internal static class EngineBenchmark
{
    private const int PromptTokens = 512;
    private const int DecodeSteps = 64;
    private const int Batch = 8;
    private const int ContextTokens = 1024;
    private const int LongContext = 960;

    // The bars.
    private const double SpeedBar = 0.8;
    private const double BatchBar = 3;
    private const double MemoryBar = 1.15;

    /// <param name="args">Rounds (default 5).</param>
    public static void Run(string[] args)
    {
        int rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5;
        var root = RepositoryRoot.Path;
        string directory = Path.Combine(root, "artifacts", "bench", "engine");
        string gguf = SyntheticModel.Write(directory);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

        long start = Stopwatch.GetTimestamp();
        using var model = LlamaModel.Load(directory);
        Console.WriteLine($"{model.WeightBytes / 1e6:F0} MB of bf16 weights loaded in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s; {rounds} alternating rounds, one thread.");
        using var ferry = new FerrySide(model, threads: 1, ContextTokens, Batch);
        using var llama = LlamaSide.TryStart(
            Path.Combine(root, "artifacts", "bench", "llama"), Path.Combine(root, "bench", "Ferry.Benchmarks", "Engine", "llama.mjs"), gguf, threads: 1, ContextTokens);
        ferry.Decode(4, 1);
        llama?.Decode(4);

        List<Rate> prefill = [], decode = [], batched = [], llamaPrefill = [], llamaDecode = [];
        for (int round = 0; round < rounds; round++)
        {
            prefill.Add(ferry.Prefill(PromptTokens));
            AddIfThere(llamaPrefill, llama?.Prefill(PromptTokens));
            decode.Add(ferry.Decode(DecodeSteps, 1));
            AddIfThere(llamaDecode, llama?.Decode(DecodeSteps));
            batched.Add(ferry.Decode(DecodeSteps, Batch));
        }

        Console.WriteLine();
        Console.WriteLine("| tokens/s, one thread | Ferry cpu best (median) | Ferry wall best | llama.cpp cpu best (median) | llama.cpp wall best | ratio, cpu | bar |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        PrintPair($"prefill, {PromptTokens} tokens", prefill, llamaPrefill);
        PrintPair($"decode, {DecodeSteps} tokens, batch 1", decode, llamaDecode);
        double growth = Best(batched, rate => rate.Cpu) / Best(decode, rate => rate.Cpu);
        Console.WriteLine(Invariant($"| decode, batch {Batch} | {Text(batched)} | {Best(batched, rate => rate.Wall):F1} | – | – | {growth:F2} × batch 1 | ≥ {BatchBar} |"));
        ferry.Prefill(LongContext);
        var late = ferry.Decode(DecodeSteps / 4, 1, LongContext);
        Console.WriteLine(Invariant($"| decode after {LongContext} tokens, batch 1 | {late.Cpu:F1} | {late.Wall:F1} | – | – | {late.Cpu / Best(decode, rate => rate.Cpu):F2} × empty | – |"));
        PrintMemory(model, ferry);
        PrintAllCores(model);
    }

    private static void PrintPair(string name, List<Rate> ferry, List<Rate> llama)
    {
        string other = llama.Count == 0 ? "– | – | –"
            : Invariant($"{Text(llama)} | {Best(llama, rate => rate.Wall):F1} | {Best(ferry, rate => rate.Cpu) / Best(llama, rate => rate.Cpu):F2}");
        Console.WriteLine(Invariant($"| {name} | {Text(ferry)} | {Best(ferry, rate => rate.Wall):F1} | {other} | ≥ {SpeedBar} |"));
    }

    /// <summary>Memory that belongs to this process alone, with the .NET runtime and the benchmark itself in it; mapped files are not.</summary>
    private static void PrintMemory(LlamaModel model, FerrySide ferry)
    {
        string? line = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status").FirstOrDefault(text => text.StartsWith("RssAnon:", StringComparison.Ordinal)) : null;
        if (line is null)
        {
            return;
        }
        long used = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        long needed = model.WeightBytes + ferry.TouchedPoolBytes;
        Console.WriteLine();
        Console.WriteLine(Invariant(
            $"Private memory {used / 1e6:F0} MB; weights {model.WeightBytes / 1e6:F0} + KV in use {ferry.TouchedPoolBytes / 1e6:F0} MB; ratio {(double)used / needed:F3} (bar < {MemoryBar}); of it activations and scratch {ferry.ScratchBytes / 1e6:F0} MB."));
    }

    private static void PrintAllCores(LlamaModel model)
    {
        int threads = Environment.ProcessorCount;
        using var ferry = new FerrySide(model, threads, ContextTokens, Batch);
        ferry.Decode(4, 1);
        Console.WriteLine();
        Console.WriteLine(Invariant(
            $"Ferry on {threads} threads, wall: prefill {ferry.Prefill(PromptTokens).Wall:F1}, decode {ferry.Decode(DecodeSteps, 1).Wall:F1}, decode of {Batch} {ferry.Decode(DecodeSteps, Batch).Wall:F1} tokens/s."));
    }

    private static void AddIfThere(List<Rate> rates, Rate? rate)
    {
        if (rate is { } measured)
        {
            rates.Add(measured);
        }
    }

    private static double Best(List<Rate> rates, Func<Rate, double> value) => rates.Max(value);

    private static string Text(List<Rate> rates) =>
        Invariant($"{Best(rates, rate => rate.Cpu):F1} ({rates.Select(rate => rate.Cpu).Median():F1})");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
