using System.Text;
using System.Text.Json;
using CsCheck;
using Ferry.TestKit;
using Ferry.Transfer.Nixl.Handshake;
using Xunit;

namespace Ferry.UnitTests.Transfer.Nixl;

/// <summary>Bytes recorded from vLLM's own handshake code (tests/data/nixl/handshake_vectors.json).</summary>
public sealed class HandshakeCodecTests
{
    private static readonly JsonElement Vectors =
        JsonDocument.Parse(File.ReadAllText(RepositoryRoot.At("tests/data/nixl/handshake_vectors.json"))).RootElement;

    [Fact]
    public void Questions_OfTheVectors_AreReproduced()
    {
        foreach (var vector in Vectors.GetProperty("get_meta_request").EnumerateArray())
        {
            var question = new MetadataQuestion(vector.GetProperty("pp_rank").GetInt32(), vector.GetProperty("tp_rank").GetInt32());
            var hex = vector.GetProperty("hex").GetString()!;
            Assert.Equal(hex, Convert.ToHexStringLower(HandshakeCodec.Encode(question)));
            Assert.True(HandshakeCodec.TryDecode(Convert.FromHexString(hex), out MetadataQuestion decoded, out var error), error);
            Assert.Equal(question, decoded);
        }
    }

    [Fact]
    public void Question_OfOlderVllm_HasNoPipelineRank()
    {
        var bytes = HandshakeCodec.Encode(new MetadataQuestion(null, 3));
        Assert.Equal("92c40c6765745f6d6574615f6d736703", Convert.ToHexStringLower(bytes));
        Assert.True(HandshakeCodec.TryDecode(bytes, out MetadataQuestion decoded, out _));
        Assert.Equal(new MetadataQuestion(null, 3), decoded);
    }

    [Fact]
    public void AgentMetadata_OfTheVectors_DecodesAndReencodesByteIdentical()
    {
        foreach (var vector in Vectors.GetProperty("agent_metadata").EnumerateArray())
        {
            var bytes = Convert.FromHexString(vector.GetProperty("msgpack_hex").GetString()!);
            Assert.True(HandshakeCodec.TryDecode(bytes, out VllmAgentMetadata? metadata, out var error), error);
            var fields = vector.GetProperty("fields");
            Assert.Equal(fields.GetProperty("engine_id").GetString(), metadata.EngineId);
            Assert.Equal(vector.GetProperty("agent_metadata_hex").GetString(), Convert.ToHexStringLower(metadata.AgentMetadata.Span));
            Assert.Equal(fields.GetProperty("kv_caches_base_addr").EnumerateArray().Select(address => address.GetUInt64()), metadata.BaseAddresses);
            Assert.Equal(fields.GetProperty("device_id").GetInt32(), metadata.DeviceId);
            Assert.Equal(fields.GetProperty("num_blocks").GetInt64(), metadata.BlockCount);
            Assert.Equal(fields.GetProperty("block_lens").EnumerateArray().Select(block => block.GetInt64()), metadata.BlockBytes);
            Assert.Equal(fields.GetProperty("kv_cache_layout").GetString(), metadata.Layout);
            Assert.Equal(fields.GetProperty("block_size").GetInt32(), metadata.BlockTokens);
            Assert.Equal(fields.GetProperty("ssm_sizes").EnumerateArray().Select(size => size.GetInt64()), metadata.SsmSizes!);
            Assert.Equal(fields.GetProperty("attn_backend_name").GetString(), metadata.AttentionBackend);
            Assert.Equal(fields.GetProperty("physical_blocks_per_logical_kv_block").GetInt32(), metadata.PhysicalBlocksPerLogicalBlock);
            Assert.Equal(bytes, HandshakeCodec.Encode(metadata));
        }
    }

    [Fact]
    public void Payloads_OfTheVectors_DecodeAndReencodeByteIdentical()
    {
        foreach (var vector in Vectors.GetProperty("handshake_payload").EnumerateArray())
        {
            var bytes = Convert.FromHexString(vector.GetProperty("msgpack_hex").GetString()!);
            Assert.True(HandshakeCodec.TryDecode(bytes, out HandshakePayload? payload, out var error), error);
            Assert.Equal(vector.GetProperty("compatibility_hash").GetString(), payload.CompatibilityHash);
            Assert.Equal(bytes, HandshakeCodec.Encode(payload));
            Assert.True(HandshakeCodec.TryDecode(payload.AgentMetadata, out VllmAgentMetadata? metadata, out error), error);
            Assert.Equal(payload.AgentMetadata.ToArray(), HandshakeCodec.Encode(metadata));
        }
    }

    [Fact]
    public void CompatibilityHash_OfTheVectors_IsReproduced()
    {
        foreach (var vector in Vectors.GetProperty("compat_hash").EnumerateArray())
        {
            var parameters = vector.GetProperty("params");
            var factors = new CompatibilityFactors
            {
                VllmVersion = Vectors.GetProperty("vllm_version_used").GetString()!,
                Model = Text("model", "meta-llama/Llama-3.1-8B-Instruct"),
                DType = Text("dtype", "torch.bfloat16"),
                KvHeads = 8,
                HeadDim = 128,
                Layers = parameters.TryGetProperty("layers", out var layers) ? layers.GetInt32() : 32,
                AttentionBackend = Text("attn", "FLASH_ATTN"),
                CacheDType = Text("cache_dtype", "auto"),
                IsHybridMemory = !parameters.TryGetProperty("hma", out var hybrid) || hybrid.GetBoolean(),
                TransferMode = Text("transfer_mode", "pull"),
            };
            Assert.Equal(vector.GetProperty("canonical_json").GetString(), factors.ToJson());
            Assert.Equal(vector.GetProperty("sha256").GetString(), factors.Hash());

            string Text(string name, string absent) => parameters.TryGetProperty(name, out var value) ? value.GetString()! : absent;
        }
    }

    [Fact]
    public void CompatibilityJson_ModelWithUnusualCharacters_IsEscapedAsPythonDoes()
    {
        var factors = new CompatibilityFactors { VllmVersion = "1", Model = "a\"\\\n\u007f/ä😀", DType = "d", KvHeads = 1, HeadDim = 1, Layers = 1, AttentionBackend = "b" };
        Assert.Contains("\"model\": \"a\\\"\\\\\\n\\u007f/\\u00e4\\ud83d\\ude00\"", factors.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void CompatibilityJson_OfOlderConnectors_LacksWhatTheyDidNotHash()
    {
        var factors = new CompatibilityFactors { VllmVersion = "1", Model = "m", DType = "d", KvHeads = 1, HeadDim = 1, Layers = 1, AttentionBackend = "b", ConnectorVersion = 4 };
        Assert.DoesNotContain("transfer_mode", factors.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("speculative_config", factors.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("transfer_mode", (factors with { ConnectorVersion = 6 }).ToJson(), StringComparison.Ordinal);
        Assert.Contains("\"speculative_config\": null", (factors with { ConnectorVersion = 6 }).ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Refusal_OfFerry_IsToldAsTheReason()
    {
        Assert.False(HandshakeCodec.TryDecode(HandshakeCodec.EncodeRefusal("no such rank"), out HandshakePayload? _, out var error));
        Assert.Equal("the peer refuses: no such rank", error);
    }

    [Fact]
    public void Decoders_FieldsOfANewerVersion_ArePassedOver()
    {
        // {"engine_id": …} of the vectors with one member more: a map in an array.
        var bytes = Convert.FromHexString(Vectors.GetProperty("agent_metadata")[3].GetProperty("msgpack_hex").GetString()!);
        byte[] newer = [(byte)(bytes[0] + 1), .. bytes.AsSpan(1), 0xa3, .. "new"u8, 0x91, 0x81, 0xa1, (byte)'k', 0xc3];
        Assert.True(HandshakeCodec.TryDecode(newer, out VllmAgentMetadata? metadata, out var error), error);
        Assert.Equal("TRITON_ATTN", metadata.AttentionBackend);
    }

    [Fact]
    public void Decoders_NestingWithoutEnd_IsAnErrorAndNotTheEndOfTheProcess()
    {
        var nested = Enumerable.Repeat((byte)0x91, 4 << 20).ToArray();
        byte[] map = [0x81, 0xa1, (byte)'x', .. nested];
        Assert.False(HandshakeCodec.TryDecode(map, out VllmAgentMetadata? _, out _));
        Assert.False(HandshakeCodec.TryDecode(map, out HandshakePayload? _, out _));
        Assert.False(HandshakeCodec.TryDecode(nested, out MetadataQuestion _, out _));
        Assert.False(VllmNotificationCodec.TryDecode((byte[])[.. "PUSH_REG:"u8, .. map], out _, out _));
    }

    [Fact]
    public void Decoders_HostileBytes_NeverThrow()
    {
        var payload = Convert.FromHexString(Vectors.GetProperty("handshake_payload")[0].GetProperty("msgpack_hex").GetString()!);
        var metadata = Convert.FromHexString(Vectors.GetProperty("agent_metadata")[0].GetProperty("msgpack_hex").GetString()!);
        byte[][] seeds = [payload, metadata, HandshakeCodec.Encode(new MetadataQuestion(0, 1))];
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 6], Gen.Byte.Array[0, 200], Gen.Int[0, 2000]).Sample((which, mutations, noise, place) =>
        {
            var mutated = seeds[which].ToArray();
            for (var i = 0; i < mutations && noise.Length > i; i++)
            {
                mutated[(place + i * 7) % mutated.Length] = noise[i];
            }
            foreach (var bytes in new[] { noise, mutated })
            {
                _ = HandshakeCodec.TryDecode(bytes, out HandshakePayload? _, out _);
                _ = HandshakeCodec.TryDecode(bytes, out VllmAgentMetadata? _, out _);
                _ = HandshakeCodec.TryDecode(bytes, out MetadataQuestion _, out _);
                _ = VllmNotificationCodec.TryDecode(bytes, out _, out _);
                _ = VllmNotificationCodec.TryDecode((byte[])[.. "PUSH_REG:"u8, .. bytes], out _, out _);
            }
        }, iter: 20_000);
    }

    [Fact]
    public void Notifications_OfTheVectors_AreReadAndReproduced()
    {
        var vectors = Vectors.GetProperty("nixl_notifications");
        var done = new VllmNotification.ReadDone("cmpl-p-1-0", 1);
        Assert.Equal(vectors.GetProperty("read_done").GetString(), Encoding.UTF8.GetString(VllmNotificationCodec.Encode(done)));
        Assert.True(VllmNotificationCodec.TryDecode(VllmNotificationCodec.Encode(done), out var decoded, out _));
        Assert.Equal(done, decoded);
        var beat = new VllmNotification.Heartbeat(["req1", "req2"]);
        Assert.Equal(vectors.GetProperty("heartbeat").GetString(), Encoding.UTF8.GetString(VllmNotificationCodec.Encode(beat)));
        Assert.True(VllmNotificationCodec.TryDecode(VllmNotificationCodec.Encode(beat), out decoded, out _));
        Assert.Equal(beat.RequestIds, Assert.IsType<VllmNotification.Heartbeat>(decoded).RequestIds);
        var push = new VllmNotification.Push(new PushRegistration("r", "d-engine", "10.0.0.2", 5600, 8, [3, 1, 70_000], "p-engine", "10.0.0.1", 5601, 4, 1));
        var encoded = VllmNotificationCodec.Encode(push);
        Assert.StartsWith(vectors.GetProperty("push_registration_prefix").GetString()!, Encoding.Latin1.GetString(encoded), StringComparison.Ordinal);
        Assert.True(VllmNotificationCodec.TryDecode(encoded, out decoded, out var error), error);
        var registration = Assert.IsType<VllmNotification.Push>(decoded).Registration;
        Assert.Equal(push.Registration.BlockIds, registration.BlockIds);
        Assert.Equal(push.Registration with { BlockIds = registration.BlockIds }, registration);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":1")]
    [InlineData("request")]
    [InlineData("request:")]
    [InlineData("request:0")]
    [InlineData("request:-1")]
    [InlineData("request: 1")]
    [InlineData("request:99999999999")]
    public void Notification_ThatIsNone_IsRefused(string text)
    {
        Assert.False(VllmNotificationCodec.TryDecode(Encoding.UTF8.GetBytes(text), out _, out var error));
        Assert.NotEmpty(error);
    }
}
