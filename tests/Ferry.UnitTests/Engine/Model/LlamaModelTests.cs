using System.Text.Json.Nodes;
using Ferry.Engine.Kernels;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.TestKit.Models;
using Xunit;

namespace Ferry.UnitTests.Engine.Model;

public sealed class LlamaModelTests : IDisposable
{
    private readonly TinyModelDirectory _directory = new();

    public static TheoryData<string, string, string> WrongConfigs => new()
    {
        { "architectures", """["GPT2LMHeadModel"]""", "the architecture GPT2LMHeadModel is not supported. Supported: LlamaForCausalLM" },
        { "architectures", "[]", "names no architecture" },
        { "hidden_act", "\"gelu\"", "hidden_act is gelu; only silu" },
        { "quantization_config", """{"quant_method":"awq"}""", "the weights are quantized (awq)" },
        { "rope_scaling", """{"rope_type":"yarn","factor":4}""", "rope scaling of type yarn is not supported" },
        { "rope_scaling", """{"rope_type":"linear"}""", "has no factor" },
        { "rope_scaling", """{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":1}""", "high_freq_factor is 1; it must be above" },
        { "hidden_size", "-5", "hidden_size is -5; an integer in 1..262144" },
        { "hidden_size", "1e30", "hidden_size is 1e30" },
        { "hidden_size", "null", "has no hidden_size" },
        { "num_hidden_layers", "2000000000", "num_hidden_layers is 2000000000; an integer in 1..1024" },
        { "num_key_value_heads", "3", "not a multiple of num_key_value_heads (3)" },
        { "head_dim", "15", "the head dimension is 15; it must be even" },
        { "tie_word_embeddings", "\"yes\"", "tie_word_embeddings is \"yes\"; true or false" },
        { "tie_word_embeddings", "false", "the tensor lm_head.weight is missing" },
        { "vocab_size", "101", "model.embed_tokens.weight has shape [100, 48]; config.json asks for [101, 48]" },
        { "num_hidden_layers", "3", "the tensor model.layers.2.input_layernorm.weight is in none of the weight files" },
        { "num_hidden_layers", "1", "tensor model.layers.1." },
        { "architectures", """["Qwen3ForCausalLM"]""", "model.layers.0.self_attn.q_norm.weight" },
        { "partial_rotary_factor", "0.5", "partial_rotary_factor is 0.5" },
    };

    [Theory]
    [MemberData(nameof(WrongConfigs))]
    public void Load_AConfigThatCannotBeHonoured_IsRefusedByName(string key, string value, string reason)
    {
        var config = TinyModel.Config(_directory.Shape);
        config[key] = value == "null" ? null : JsonNode.Parse(value);
        File.WriteAllText(Path.Combine(_directory.Path, "config.json"), config.ToJsonString());
        AssertRefused(reason);
    }

    [Fact]
    public void Load_NoDirectory_SaysSo()
    {
        var exception = Assert.Throws<ModelLoadException>(() => LlamaModel.Load(Path.Combine(_directory.Path, "nowhere")));
        Assert.Contains("nowhere does not exist", exception.Message, StringComparison.Ordinal);
        exception = Assert.Throws<ModelLoadException>(() => LlamaModel.Load(Path.Combine(_directory.Path, "config.json")));
        Assert.Contains("is a file", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", "config.json does not exist")]
    [InlineData("model.safetensors", "has neither model.safetensors nor model.safetensors.index.json")]
    public void Load_AMissingFile_SaysWhich(string name, string reason)
    {
        File.Delete(Path.Combine(_directory.Path, name));
        AssertRefused(reason);
    }

    [Theory]
    [InlineData("{", "is not valid JSON")]
    [InlineData("[]", "holds a JSON Array")]
    [InlineData("""{"a":"\ud800"}""", "is not valid JSON")]
    [InlineData("""{"a":1,"a":2}""", "is not valid JSON")]
    public void Load_AConfigThatIsNoObject_IsRefused(string text, string reason)
    {
        File.WriteAllText(Path.Combine(_directory.Path, "config.json"), text);
        AssertRefused(reason);
    }

    [Fact]
    public void Load_AConfigNestedTenThousandDeep_IsRefused()
    {
        File.WriteAllText(Path.Combine(_directory.Path, "config.json"), "{\"a\":" + new string('[', 10_000) + new string(']', 10_000) + "}");
        AssertRefused("is not valid JSON");
    }

    [Fact]
    public void Load_AConfigOfTwoMegabytes_IsRefused()
    {
        File.WriteAllText(Path.Combine(_directory.Path, "config.json"), new string(' ', 2 << 20));
        AssertRefused("at most 1048576 are allowed");
    }

    [Fact]
    public void Load_ATruncatedWeightFile_IsRefused()
    {
        string path = Path.Combine(_directory.Path, "model.safetensors");
        using (var file = File.OpenWrite(path))
        {
            file.SetLength(file.Length - 1);
        }
        AssertRefused("truncated or damaged");
    }

    [Fact]
    public void Load_WeightsOfAQuantizedType_AreRefused()
    {
        string path = Path.Combine(_directory.Path, "model.safetensors");
        string text = File.ReadAllText(path, System.Text.Encoding.Latin1);
        // Same sizes, another meaning: a 16-bit integer is no weight.
        File.WriteAllText(path, text.Replace("\"BF16\"", "\"I16\" ", StringComparison.Ordinal), System.Text.Encoding.Latin1);
        AssertRefused("has type I16; weights must be F32, F16 or BF16");
    }

    [Fact]
    public void Load_Shards_GivesTheSameLogitsAndFingerprintAsOneFile()
    {
        using var whole = LlamaModel.Load(_directory.Path);
        float[] expected = Logits(whole);
        Shard(index => index % 2 == 0 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors");

        using var sharded = LlamaModel.Load(_directory.Path);

        Assert.Equal(expected, Logits(sharded));
        Assert.Equal(whole.Fingerprint, sharded.Fingerprint);
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    [InlineData("..")]
    public void Load_AnIndexThatLeavesItsDirectory_IsRefused(string file)
    {
        var index = new JsonObject { ["weight_map"] = new JsonObject { ["model.norm.weight"] = file } };
        File.WriteAllText(Path.Combine(_directory.Path, "model.safetensors.index.json"), index.ToJsonString());
        AssertRefused("not the name of a file in the same directory");
    }

    [Fact]
    public void Load_AnIndexThatNamesAnAbsentTensor_IsRefused()
    {
        var index = new JsonObject { ["weight_map"] = new JsonObject { ["ghost"] = "model.safetensors" } };
        File.WriteAllText(Path.Combine(_directory.Path, "model.safetensors.index.json"), index.ToJsonString());
        AssertRefused("does not have the tensor ghost");
    }

    [Fact]
    public void Load_AnotherWeightOrShape_ChangesTheFingerprint()
    {
        using var first = LlamaModel.Load(_directory.Path);
        using (var again = LlamaModel.Load(_directory.Path))
        {
            Assert.Equal(first.Fingerprint, again.Fingerprint);
        }

        string path = Path.Combine(_directory.Path, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        using var flipped = LlamaModel.Load(_directory.Path);
        Assert.NotEqual(first.Fingerprint, flipped.Fingerprint);

        TinyModel.Write(_directory.Path, 1, _directory.Shape with { RopeTheta = 20_000 });
        using var turned = LlamaModel.Load(_directory.Path);
        Assert.NotEqual(first.Fingerprint, turned.Fingerprint);
    }

    [Fact]
    public void Load_GenerationConfig_GivesItsDefaults()
    {
        File.WriteAllText(
            Path.Combine(_directory.Path, "generation_config.json"),
            """{"eos_token_id":[5,7],"temperature":0.6,"top_p":0.95,"top_k":20,"do_sample":true,"bos_token_id":1}""");
        using var model = LlamaModel.Load(_directory.Path);
        Assert.Equal([5, 7], model.Generation.EosTokenIds);
        Assert.Equal((0.6f, 0.95f, 20, true), (model.Generation.Temperature, model.Generation.TopP, model.Generation.TopK, model.Generation.DoSample));

        File.Delete(Path.Combine(_directory.Path, "generation_config.json"));
        using var without = LlamaModel.Load(_directory.Path);
        Assert.Equal([2], without.Generation.EosTokenIds);
        Assert.Null(without.Generation.Temperature);
    }

    [Theory]
    [InlineData("""{"eos_token_id":100}""", "eos_token_id 100 is not in the vocabulary of 100")]
    [InlineData("""{"eos_token_id":"x"}""", "eos_token_id is \"x\"")]
    [InlineData("""{"temperature":-1}""", "temperature is -1; a number in 0..1000")]
    public void Load_AWrongGenerationConfig_IsRefused(string text, string reason)
    {
        File.WriteAllText(Path.Combine(_directory.Path, "generation_config.json"), text);
        AssertRefused(reason);
    }

    [Fact]
    public void WeightBytes_ABf16Model_IsTwoBytesAWeight()
    {
        using var model = LlamaModel.Load(_directory.Path);
        long weights = _directory.Tensors.Values.Sum(tensor => (long)tensor.Values.Length);
        // Norms are widened to fp32, and a last panel is filled up to 32 outputs: both small beside the matrices of a real model.
        Assert.InRange(model.WeightBytes, 2 * weights, (long)(2.4 * weights));
    }

    [Fact]
    public void Forward_AfterTheModelWasDisposed_Throws()
    {
        var model = LlamaModel.Load(_directory.Path);
        using var runner = new LlamaRunner(model, new KvPoolOptions { BlockCount = 1 });
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => runner.Forward([new SequenceSlice(new[] { 1 }, 0, new[] { 0 }, false)], []));
    }

    [Theory]
    [InlineData(100, 0, 0, "Token 100 is not in the vocabulary of 100")]
    [InlineData(-1, 0, 0, "Token -1")]
    [InlineData(1, 0, 4, "Block 4 is not in the pool of 4 blocks")]
    [InlineData(1, 0, -1, "Block -1")]
    [InlineData(1, -1, 0, "a position from 0")]
    [InlineData(1, 16, 0, "needs 2 blocks of 16 tokens; its table has 1")]
    [InlineData(1, 2048, 0, "the model has 2048")]
    public void Forward_ASliceOutOfRange_IsRefusedBeforeAnythingIsComputed(int token, int position, int block, string reason)
    {
        using var model = LlamaModel.Load(_directory.Path);
        using var runner = new LlamaRunner(model, new KvPoolOptions { BlockCount = 4 });
        var exception = Assert.Throws<ArgumentException>(
            () => runner.Forward([new SequenceSlice(new[] { token }, position, new[] { block }, true)], new float[100]));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(0)]
    [InlineData(200)]
    public void Forward_LogitsOfAnotherLength_AreRefused(int length)
    {
        using var model = LlamaModel.Load(_directory.Path);
        using var runner = new LlamaRunner(model, new KvPoolOptions { BlockCount = 4 });
        Assert.Throws<ArgumentException>(() => runner.Forward([new SequenceSlice(new[] { 1 }, 0, new[] { 0 }, true)], new float[length]));
    }

    public void Dispose() => _directory.Dispose();

    private static float[] Logits(LlamaModel model)
    {
        using var runner = new LlamaRunner(model, new KvPoolOptions { BlockCount = 4 });
        return RunnerProbe.Prefill(runner, RunnerProbe.Tokens(20, 100, seed: 1), 20);
    }

    /// <summary>Cuts the weights into files by their place in ordinal order, and removes the single file.</summary>
    private void Shard(Func<int, string> fileOf)
    {
        var map = new JsonObject();
        var ordered = _directory.Tensors.Values.OrderBy(tensor => tensor.Name, StringComparer.Ordinal).Select((tensor, index) => (Tensor: tensor, File: fileOf(index)));
        foreach (var file in ordered.GroupBy(entry => entry.File))
        {
            SafetensorsWriter.Write(Path.Combine(_directory.Path, file.Key), file.Select(entry => entry.Tensor), WeightFormat.BFloat16);
            foreach (var entry in file)
            {
                map[entry.Tensor.Name] = file.Key;
            }
        }
        File.WriteAllText(Path.Combine(_directory.Path, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        File.Delete(Path.Combine(_directory.Path, "model.safetensors"));
    }

    private void AssertRefused(string reason)
    {
        var exception = Assert.Throws<ModelLoadException>(() => LlamaModel.Load(_directory.Path).Dispose());
        Assert.Contains(_directory.Path, exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }
}
