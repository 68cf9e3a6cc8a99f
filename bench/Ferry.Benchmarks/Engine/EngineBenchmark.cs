using Ferry.Engine.Model;

namespace Ferry.Benchmarks.Engine;

internal static class EngineBenchmark
{
    public static void Run(string[] args)
    {
        string directory = Path.Combine("artifacts", "bench", "engine");
        SyntheticModel.Write(directory);
        var t0 = System.Diagnostics.Stopwatch.GetTimestamp();
        using var model = LlamaModel.Load(directory);
        Console.WriteLine($"load {System.Diagnostics.Stopwatch.GetElapsedTime(t0).TotalSeconds:F2} s {model.WeightBytes / 1e6:F0} MB");
        using var side = new FerrySide(model, args.Length > 0 ? int.Parse(args[0]) : 1, 1024, 8);
        for (int i = 0; i < 2; i++)
        {
            var p = side.Prefill(512);
            Console.WriteLine($"pp512 wall {p.Wall:F1} cpu {p.Cpu:F1}");
            foreach (int b in new[] { 1, 2, 4, 8 })
            {
                var d = side.Decode(16, b);
                Console.WriteLine($"tg32 x{b} wall {d.Wall:F1} cpu {d.Cpu:F1}");
            }
        }
    }
}
