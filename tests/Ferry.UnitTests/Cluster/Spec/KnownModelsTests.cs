using Ferry.Cluster.Spec;
using Xunit;

namespace Ferry.UnitTests.Cluster.Spec;

public sealed class KnownModelsTests
{
    /// <summary>What config.json says besides the shape: vocabulary, width of the feed-forward layers, whether both embeddings are one.</summary>
    [Theory]
    [InlineData("meta-llama/Llama-3.1-8B", 128_256, 14_336, false)]
    [InlineData("meta-llama/Llama-3.1-70B", 128_256, 28_672, false)]
    [InlineData("meta-llama/Llama-3.1-405B", 128_256, 53_248, false)]
    [InlineData("meta-llama/Llama-3.2-1B", 128_256, 8192, true)]
    [InlineData("meta-llama/Llama-3.2-3B", 128_256, 8192, true)]
    [InlineData("meta-llama/Llama-3.3-70B", 128_256, 28_672, false)]
    [InlineData("mistralai/Mistral-7B-v0.3", 32_768, 14_336, false)]
    [InlineData("Qwen/Qwen3-8B", 151_936, 12_288, false)]
    [InlineData("Qwen/Qwen3-32B", 151_936, 25_600, false)]
    [InlineData("HuggingFaceTB/SmolLM2-360M", 49_152, 2560, true)]
    [InlineData("models/ferry-tiny", 1024, 384, true)]
    public void Parameters_OfEveryKnownModel_FollowFromItsShape(string id, long vocabulary, long feedForward, bool isTied)
    {
        var shape = KnownModels.TryFind(id)!;

        var attention = 2L * shape.Hidden * shape.Heads * shape.HeadDim;
        var keysAndValues = 2L * shape.Hidden * shape.KvHeads * shape.HeadDim;
        var layer = attention + keysAndValues + (3 * shape.Hidden * feedForward) + (2L * shape.Hidden) + (id.StartsWith("Qwen/Qwen3", StringComparison.Ordinal) ? 2L * shape.HeadDim : 0);   // Qwen3 also norms queries and keys
        Assert.Equal((vocabulary * shape.Hidden * (isTied ? 1 : 2)) + (shape.Layers * layer) + shape.Hidden, shape.Parameters);
    }

    [Fact]
    public void Names_AllOfThem_AreInTheTestOfParameters() => Assert.Equal(11, KnownModels.Names.Count());

    [Theory]
    [InlineData("meta-llama/Llama-3.1-70B-Instruct", 80)]
    [InlineData("Meta-Llama/llama-3.1-8b", 32)]
    [InlineData("./models/ferry-tiny", 4)]
    public void TryFind_VariantOfAKnownModel_HasItsShape(string id, int layers) => Assert.Equal(layers, KnownModels.TryFind(id)!.Layers);

    [Fact]
    public void TryFind_UnknownModel_IsNull() => Assert.Null(KnownModels.TryFind("acme/own-7b"));
}
