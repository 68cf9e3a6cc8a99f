using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Rules.LmCache;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint.Capacity;

public sealed class EngineMemoryTests
{
    private const double Gib = 1L << 30;

    [Fact]
    public void Of_Llama70BOnFourMi300x_LeavesWhatTheArithmeticSays()
    {
        var memory = EngineMemory.Of(Engine(AcceleratorKind.Rocm, "mi300x", "meta-llama/Llama-3.1-70b", "--tensor-parallel-size 4 --gpu-memory-utilization 0.90"))!;
        Assert.Equal(80 * 1024, memory.TokenBytes);   // 320 KiB over four ranks.
        Assert.InRange(memory.WeightBytes / Gib, 32.8, 32.95);
        Assert.InRange(memory.KvBytes / Gib, 133, 135);
        Assert.InRange(memory.KvTokens, 1_740_000, 1_765_000);
    }

    [Fact]
    public void Of_Llama70BOnFourGaudi3_TakesTheShareOfWhatWeightsLeave()
    {
        var memory = EngineMemory.Of(Engine(AcceleratorKind.Gaudi, "gaudi3", "meta-llama/Llama-3.1-70B-Instruct", "-tp 4 --gpu-memory-utilization 0.85"))!;
        Assert.InRange(memory.KvBytes / Gib, 66, 68);
        Assert.InRange(memory.KvTokens, 860_000, 895_000);
    }

    [Fact]
    public void Of_MoreRanksThanKvHeads_CopiesHeads() =>
        Assert.Equal(2 * 80 * 1 * 128 * 2, EngineMemory.TokenBytesOf(Engine(AcceleratorKind.Rocm, "mi300x", "meta-llama/Llama-3.1-70B", "-tp 16")));

    [Theory]
    [InlineData("somebody/unknown-model", "")]
    [InlineData("meta-llama/Llama-3.1-8B", "--quantization awq")]
    [InlineData("meta-llama/Llama-3.1-8B", "--gpu-memory-utilization 90")]
    [InlineData("meta-llama/Llama-3.1-8B", "--tensor-parallel-size $TP")]
    public void Of_AnythingNotKnown_IsNull(string model, string flags) =>
        Assert.Null(EngineMemory.Of(Engine(AcceleratorKind.Rocm, "mi300x", model, flags)));

    [Theory]
    [InlineData("64g", 64L << 30)]
    [InlineData("64Gi", 64L << 30)]
    [InlineData("64G", 64_000_000_000)]
    [InlineData("512m", 512L << 20)]
    [InlineData("1.5Gi", 3L << 29)]
    [InlineData("1024", 1024L)]
    [InlineData("much", null)]
    [InlineData("", null)]
    public void TryBytes_OfDockerAndKubernetes_IsExact(string text, long? expected) => Assert.Equal(expected, MemoryText.TryBytes(text));

    private static ObservedProcess Engine(AcceleratorKind kind, string product, string model, string flags)
    {
        var file = new SourceFile("run.sh", $"{model} {flags}");
        List<SourcedText> words = [];
        var at = 0;
        foreach (var word in file.Text.Split(' '))
        {
            var span = file.Span(at, word.Length);
            if (word.Length > 0) { words.Add(new SourcedText(word, span, null, word.Contains('$', StringComparison.Ordinal))); }
            at += word.Length + 1;
        }
        var whole = file.Span(0, file.Text.Length);
        return new ObservedProcess
        {
            Kind = ProcessKind.VllmServe,
            Name = "engine",
            Span = whole,
            HeadSpan = whole,
            Model = words[0],
            Arguments = new ProcessArguments(words[1..]),
            Accelerator = new AcceleratorGuess(kind, "test", whole, product),
        };
    }
}
