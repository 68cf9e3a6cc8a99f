using Ferry.Engine.Kernels;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.Kv.Layout;
using Ferry.TestKit.Models;
using Xunit;

namespace Ferry.UnitTests.Engine.Model;

public sealed class LlamaRunnerTests
{
    // Double against float: products of some 70 terms through two layers stay within this; a wrong weight or key is off by 0.1 or more.
    private const double Tolerance = 2e-3;

    public static TheoryData<string, bool, WeightFormat, string?> Variants => new()
    {
        { "LlamaForCausalLM", true, WeightFormat.BFloat16, null },
        { "LlamaForCausalLM", false, WeightFormat.Float32, null },
        { "LlamaForCausalLM", false, WeightFormat.Float16, """{"type":"linear","factor":4.0}""" },
        { "MistralForCausalLM", false, WeightFormat.BFloat16, null },
        { "Qwen2ForCausalLM", true, WeightFormat.BFloat16, null },
        { "Qwen3ForCausalLM", true, WeightFormat.BFloat16, null },
    };

    [Theory]
    [MemberData(nameof(Variants))]
    public void Forward_EveryArchitectureAndFormat_EqualsTheDoubleReference(string architecture, bool tied, WeightFormat format, string? scaling)
    {
        using var directory = new TinyModelDirectory(7, new TinyModelShape { Architecture = architecture, TiedEmbeddings = tied, Format = format, RopeScaling = scaling });
        using var model = LlamaModel.Load(directory.Path);
        using var runner = new LlamaRunner(model, new KvPoolOptions { BlockCount = 8, DType = KvDType.Float32 });
        int[] tokens = RunnerProbe.Tokens(40, model.Config.VocabularySize, seed: 3);
        var reference = new ReferenceDecoder(directory.Shape, directory.Tensors)
        {
            Frequency = scaling is null ? null : i => Math.Pow(10_000, -2.0 * i / directory.Shape.HeadDim) / 4,
        };

        float[] logits = RunnerProbe.Prefill(runner, tokens, chunkTokens: tokens.Length);

        double[] expected = reference.Logits(tokens)[^1];
        for (int index = 0; index < expected.Length; index++)
        {
            Assert.InRange(logits[index], expected[index] - Tolerance, expected[index] + Tolerance);
        }
    }
}
