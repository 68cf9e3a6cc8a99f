using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint;

public sealed class TypoTests
{
    [Theory]
    [InlineData("UCX_TSL", "UCX_TLS")]
    [InlineData("UCX_NETDEVICES", "UCX_NET_DEVICES")]
    [InlineData("UCX_MEMTYPE_CACH", "UCX_MEMTYPE_CACHE")]
    public void Meant_OfAMisspeltUcxVariable_IsTheRightOne(string name, string expected) => Assert.Equal(expected, UcxVariables.Meant(name));

    [Theory]
    [InlineData("UCX_TLS")]
    [InlineData("UCX_TCP_RX_SEG_SIZE")]
    [InlineData("UCX_DC_MLX5_RETRY_COUNT")]
    [InlineData("UCX_SOMETHING_NEW")]
    public void Meant_OfAKnownOrNewUcxVariable_IsNothing(string name) => Assert.Null(UcxVariables.Meant(name));

    [Theory]
    [InlineData("--max-model-length", "--max-model-len")]
    [InlineData("--tensor-paralel-size", "--tensor-parallel-size")]
    [InlineData("--no-enable-prefix-cachin", "--no-enable-prefix-caching")]
    [InlineData("--kv-transfer-confg", "--kv-transfer-config")]
    public void Meant_OfAMisspeltFlag_IsTheRightOne(string name, string expected) => Assert.Equal(expected, VllmFlags.Meant(name));

    [Theory]
    [InlineData("--max-model-len")]
    [InlineData("--no-enable-prefix-caching")]
    [InlineData("--kv-transfer-config.kv_connector")]
    [InlineData("--a-flag-of-tomorrow")]
    [InlineData("--device")]
    [InlineData("--swap-space")]
    [InlineData("--no-enable-mm-embeds")]
    [InlineData("-tp")]
    public void Meant_OfAKnownOrNewFlag_IsNothing(string name) => Assert.Null(VllmFlags.Meant(name));

    [Theory]
    [InlineData("VLLM_NIXL_SIDECHANNEL_HOST", "VLLM_NIXL_SIDE_CHANNEL_HOST")]
    [InlineData("VLLM_NIXL_SIDE_CHANNEL_PORTS", "VLLM_NIXL_SIDE_CHANNEL_PORT")]
    public void Meant_OfAMisspeltVllmVariable_IsTheRightOne(string name, string expected) => Assert.Equal(expected, VllmVariables.Meant(name));

    [Theory]
    [InlineData("VLLM_ROCM_USE_AITER_FP4BMM")]   // One letter off another one that exists.
    [InlineData("VLLM_USE_FLASHINFER_MOE_FP8")]
    public void Meant_OfAKnownVllmVariable_IsNothing(string name) => Assert.Null(VllmVariables.Meant(name));

    [Theory]
    [InlineData("64k", 65536L)]
    [InlineData("8K", 8192L)]
    [InlineData("1m", 1048576L)]
    [InlineData("65536", 65536L)]
    [InlineData("inf", null)]
    [InlineData("auto", null)]
    [InlineData("", null)]
    public void TryParse_OfUcxSizes_IsExact(string text, long? expected) => Assert.Equal(expected, UcxSize.TryParse(text));
}
