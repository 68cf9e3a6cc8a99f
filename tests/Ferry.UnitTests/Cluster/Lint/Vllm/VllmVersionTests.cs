using Ferry.Cluster.Lint.Vllm;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint.Vllm;

public sealed class VllmVersionTests
{
    [Theory]
    [InlineData("rocm/vllm:v0.20.0", "0.20")]
    [InlineData("vllm/vllm-openai:v0.14.0", "0.14")]
    [InlineData("vault.habana.ai/gaudi-docker/vllm-gaudi:0.26.1", "0.26")]
    [InlineData("registry:5000/team/vllm-rocm:v0.19", "0.19")]
    [InlineData("rocm/vllm:rocm7.0_vllm_0.11.1", "0.11")]
    public void OfImage_WithAVersion_ReadsIt(string image, string expected) => Assert.Equal(expected, VllmVersion.OfImage(image)?.ToString());

    [Theory]
    [InlineData("vllm-prefill-mi300x:latest")]
    [InlineData("rocm/vllm")]
    [InlineData("rocm/vllm-dev:nightly_main_20260801")]
    [InlineData("redis:7.2")]
    [InlineData("registry:5000/vllm")]
    public void OfImage_WithoutOne_SaysNothing(string image) => Assert.Null(VllmVersion.OfImage(image));
}
