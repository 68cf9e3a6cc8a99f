using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Benchmarks;

/// <summary>Small operations that stand on every request's path: time and allocations of one call.</summary>
[MemoryDiagnoser]
public class MicroBenchmarks
{
    private readonly int[] _chunk = [.. Enumerable.Range(0, 256)];
    private readonly byte[] _header = new byte[KvRecord.HeaderBytes];
    private readonly ChunkHasher _hasher = ChunkHasher.Create("sha256_cbor");
    private readonly KvLayout _layout = new()
    {
        Layers = 4,
        ModelHeads = 4,
        FirstHead = 0,
        Heads = 1,
        HeadDim = 32,
        Tokens = 256,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    private string _key = "";

    public static void Run(string[] args) => BenchmarkSwitcher.FromTypes([typeof(MicroBenchmarks)]).Run(
        args.Length > 0 ? args : ["--filter", "*"],
        // In this process: the toolchain that builds a project of its own would need the package registry again.
        DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)));

    [GlobalSetup]
    public void SetUp()
    {
        var hash = HashChunk();
        KvRecord.Write(KvRecordHeader.Describe(_layout, 7, 0, hash, "", new byte[_layout.PayloadBytes]), _header);
        _key = $"meta-llama/Llama-3.1-70B@4@1@{hash}@bfloat16";
    }

    [Benchmark]
    public ChunkHash HashChunk() => _hasher.Next(_hasher.Root, _chunk);

    [Benchmark]
    public bool ReadRecordHeader() => KvRecord.TryReadHeader(_header, out _, out _);

    [Benchmark]
    public object? ParseLmCacheKey() => LmCacheKey.TryParse(_key);

    [Benchmark]
    public string PrintLayout() => _layout.ToString();
}
