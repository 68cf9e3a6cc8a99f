using System.Diagnostics;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Ferry.Kv.Hashing;

namespace Ferry.Benchmarks;

/// <summary>Every chunk hash over one prompt, beside the raw hash of as many bytes in the same run: docs/measurements/hashing.md.</summary>
/// <remarks>Rounds alternate between all cases and the best round counts, so that other load on the machine hits all alike.</remarks>
internal static class HashingBenchmark
{
    private const int PromptTokens = 8192;
    private const int ChunkTokens = 256;
    private const int Rounds = 40;
    private const int MinRoundMicroseconds = 5_000;

    public static void Run(string[] options)
    {
        var vocabulary = options.Length > 0 ? int.Parse(options[0]) : 128_256;   // Llama 3
        var random = new Random(1);
        int[] tokens = [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(vocabulary))];
        var cbor = new byte[Cbor.TokenBytes<int>(ChunkTokens)];
        var cborBytes = Enumerable.Range(0, PromptTokens / ChunkTokens)
            .Average(chunk => 1 + 34 + Cbor.WriteTokens<int>(cbor, tokens.AsSpan(chunk * ChunkTokens, ChunkTokens)) + 1);
        var raw = new byte[(int)Math.Round(cborBytes)];
        random.NextBytes(raw);
        var blakeInput = new byte[32 + 4 * ChunkTokens];
        random.NextBytes(blakeInput);
        var digest = new byte[32];

        List<(string Name, string? Limit, double BytesPerToken, Action Prompt)> cases =
        [
            ("raw SHA-256", null, cborBytes / ChunkTokens, () => EachChunk(() => SHA256.HashData(raw, digest))),
            ("raw XXH3-128", null, cborBytes / ChunkTokens, () => EachChunk(() => XxHash128.Hash(raw, digest))),
            ("raw BLAKE3", null, blakeInput.Length / (double)ChunkTokens, () => EachChunk(() => Blake3.Hash(blakeInput, digest))),
            ("raw BLAKE3 without AVX-512", "raw BLAKE3", blakeInput.Length / (double)ChunkTokens, () => EachChunk(() => Blake3.HashPortable(blakeInput, digest))),
            ("CBOR of the tokens alone", null, cborBytes / ChunkTokens, () =>
            {
                for (var start = 0; start < PromptTokens; start += ChunkTokens)
                {
                    Cbor.WriteTokens<int>(cbor, tokens.AsSpan(start, ChunkTokens));
                }
            }),
        ];
        var hashes = new List<ChunkHash>(PromptTokens / ChunkTokens);
        foreach (var algorithm in ChunkHasher.Algorithms)
        {
            var hasher = ChunkHasher.Create(algorithm.Name);
            var limit = algorithm.Name.Contains("sha256", StringComparison.Ordinal) ? "raw SHA-256"
                : algorithm.Name.Contains("xxhash", StringComparison.Ordinal) ? "raw XXH3-128"
                : algorithm.Name == "blake3" ? "raw BLAKE3" : null;
            cases.Add((algorithm.Name, limit, limit switch { null => 0, "raw BLAKE3" => blakeInput.Length / (double)ChunkTokens, _ => cborBytes / ChunkTokens }, () =>
            {
                hashes.Clear();
                hasher.HashChunks(tokens, ChunkTokens, includeUnfull: false, hashes);
            }
            ));
        }
        Print(vocabulary, cases, Measure([.. cases.Select(item => item.Prompt)]));
    }

    private static void EachChunk(Action chunk)
    {
        for (var i = 0; i < PromptTokens / ChunkTokens; i++)
        {
            chunk();
        }
    }

    /// <summary>Best seconds a prompt of every case.</summary>
    private static double[] Measure(Action[] prompts)
    {
        var best = new double[prompts.Length];
        Array.Fill(best, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < prompts.Length; i++)
            {
                var count = 0;
                var watch = Stopwatch.StartNew();
                do
                {
                    prompts[i]();
                    count++;
                }
                while (watch.Elapsed.TotalMicroseconds < MinRoundMicroseconds);
                best[i] = Math.Min(best[i], watch.Elapsed.TotalSeconds / count);
            }
        }
        return best;
    }

    private static void Print(int vocabulary, List<(string Name, string? Limit, double BytesPerToken, Action Prompt)> cases, double[] best)
    {
        Console.WriteLine($"{PromptTokens} random ids below {vocabulary}, chunks of {ChunkTokens}, one thread, best of {Rounds} alternating rounds; " +
            $"AVX-512VL {(Avx512F.VL.IsSupported ? "yes" : "no")}, Vector<byte> {Vector<byte>.Count} bytes");
        Console.WriteLine();
        Console.WriteLine("| case | bytes a token | M tokens/s | MB/s | of the raw hash |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        for (var i = 0; i < cases.Count; i++)
        {
            var (name, limit, bytesPerToken, _) = cases[i];
            var rate = PromptTokens / best[i] / 1e6;
            var ratio = limit is null ? "" : $"{best[cases.FindIndex(item => item.Name == limit)] / best[i]:P0}";
            Console.WriteLine($"| {name} | {(bytesPerToken > 0 ? $"{bytesPerToken:F2}" : "")} | {rate:F0} | {(bytesPerToken > 0 ? $"{rate * bytesPerToken:F0}" : "")} | {ratio} |");
        }
    }
}
