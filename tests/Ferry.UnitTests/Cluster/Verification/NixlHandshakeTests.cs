using System.Text.Json.Nodes;
using CsCheck;
using Ferry.Cluster.Verification.SideChannels;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cluster.Verification;

/// <summary>Against bytes that vLLM's own code made and answered.</summary>
public sealed class NixlHandshakeTests
{
    private static readonly JsonNode Vectors = JsonNode.Parse(File.ReadAllText(RepositoryRoot.At("tests", "data", "nixl", "handshake.json")))!;

    [Fact]
    public void Question_ForThisVersion_IsVllmsOwn() =>
        Assert.Equal((string?)Vectors["get_meta_request"]![0]!["hex"], Convert.ToHexStringLower(NixlHandshake.QuestionFor("0.27.0")!));

    [Theory]
    [InlineData("0.11.2", 2)]
    [InlineData("v0.24.0+rocm641", 2)]
    [InlineData("0.25.0", 3)]
    [InlineData("0.28.1rc1", 3)]
    public void Question_ByVersion_HasThePipelineRankOrNot(string version, int members) => Assert.Equal(0x90 + members, NixlHandshake.QuestionFor(version)![0]);

    [Theory]
    [InlineData("0.1.dev1+g51f799c1a")]
    [InlineData("0.28.1rc1.dev580")]
    [InlineData("main")]
    [InlineData("")]
    public void Question_OfAVersionThatDoesNotTell_IsNotAsked(string version) => Assert.Null(NixlHandshake.QuestionFor(version));

    [Fact]
    public void Replies_OfVllm_GiveHashAndShape()
    {
        foreach (var payload in Vectors["handshake_payload"]!.AsArray())
        {
            var reply = NixlHandshake.Read(Convert.FromHexString((string)payload!["msgpack_hex"]!));
            Assert.Equal("", reply.Problem);
            Assert.Equal((string?)payload["compatibility_hash"], reply.CompatibilityHash);
        }
        var metadata = Vectors["agent_metadata"]![0]!;
        var bare = NixlHandshake.Read(Convert.FromHexString((string)metadata["msgpack_hex"]!));
        var fields = metadata["fields"]!;
        Assert.Equal(
            ((string?)fields["engine_id"], (string?)fields["kv_cache_layout"], (string?)fields["attn_backend_name"], (long)fields["block_size"]!, (long)fields["num_blocks"]!, fields["block_lens"]!.AsArray().Count),
            (bare.EngineId, bare.Layout, bare.AttentionBackend, bare.BlockTokens, bare.BlockCount, bare.Regions));
    }

    [Fact]
    public void Replies_NestedWithoutEnd_AreRefusedAndNotTheEndOfTheProcess()
    {
        var nested = Enumerable.Repeat((byte)0x91, 1 << 20).ToArray();   // an array in an array in an array…
        byte[] inMap = [0x81, 0xa1, (byte)'x', 0x81, 0x00, .. nested];
        byte[] inNumbers = [0x81, 0xaa, .. "block_lens"u8, .. nested];
        Assert.StartsWith("a reply that is no handshake", NixlHandshake.Read(inMap).Problem, StringComparison.Ordinal);
        Assert.StartsWith("a reply that is no handshake", NixlHandshake.Read(inNumbers).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Replies_OfAnyBytes_AreReadOrRefused()
    {
        var real = Convert.FromHexString((string)Vectors["handshake_payload"]![0]!["msgpack_hex"]!);
        Gen.Select(Gen.Int[0, real.Length - 1], Gen.Byte, Gen.Int[0, real.Length]).Sample((at, value, length) =>
        {
            var bytes = real[..length];
            if (at < length)
            {
                bytes[at] = value;
            }
            Assert.NotNull(NixlHandshake.Read(bytes).Problem);
        }, iter: 2_000);
        Gen.Byte.Array[0, 200].Sample(bytes => NixlHandshake.Read(bytes).Problem is not null, iter: 2_000);
    }
}
