using System.Globalization;
using System.Text.Json.Nodes;

namespace Ferry.TestKit.Models;

/// <summary>Random models in Hugging Face layout: <c>config.json</c>, <c>generation_config.json</c>, <c>model.safetensors</c>.</summary>
public static class TinyModel
{
    /// <summary>Writes a model into <paramref name="directory"/> (created if need be). Equal seeds and shapes give equal bytes.</summary>
    /// <returns>The weights, for a reference to compute with.</returns>
    public static IReadOnlyDictionary<string, TinyTensor> Write(string directory, int seed, TinyModelShape? shape = null)
    {
        shape ??= new TinyModelShape();
        Directory.CreateDirectory(directory);
        var tensors = Tensors(seed, shape);
        File.WriteAllText(Path.Combine(directory, "config.json"), Config(shape).ToJsonString());
        File.WriteAllText(Path.Combine(directory, "generation_config.json"), """{"eos_token_id":[2],"bos_token_id":1}""");
        SafetensorsWriter.Write(Path.Combine(directory, "model.safetensors"), tensors.Values, shape.Format);
        return tensors;
    }

    public static JsonObject Config(TinyModelShape shape)
    {
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(shape.Architecture),
            ["hidden_act"] = "silu",
            ["hidden_size"] = shape.HiddenSize,
            ["intermediate_size"] = shape.FeedForwardSize,
            ["num_hidden_layers"] = shape.Layers,
            ["num_attention_heads"] = shape.Heads,
            ["num_key_value_heads"] = shape.KvHeads,
            ["head_dim"] = shape.HeadDim,
            ["vocab_size"] = shape.VocabularySize,
            ["max_position_embeddings"] = shape.MaxPositions,
            ["rms_norm_eps"] = shape.NormEpsilon,
            ["rope_theta"] = shape.RopeTheta,
            ["tie_word_embeddings"] = shape.TiedEmbeddings,
            ["torch_dtype"] = "bfloat16",
            ["eos_token_id"] = 2,
            ["bos_token_id"] = 1,
        };
        if (shape.RopeScaling is { } scaling)
        {
            config["rope_scaling"] = JsonNode.Parse(scaling);
        }
        return config;
    }

    public static IReadOnlyDictionary<string, TinyTensor> Tensors(int seed, TinyModelShape shape)
    {
        var random = new Random(seed);
        var tensors = new Dictionary<string, TinyTensor>(StringComparer.Ordinal);
        int queries = shape.Heads * shape.HeadDim;
        int keys = shape.KvHeads * shape.HeadDim;
        Add("model.embed_tokens.weight", 0, 1, shape.VocabularySize, shape.HiddenSize);
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            string prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.");
            Add(prefix + "input_layernorm.weight", 1, 0.2f, shape.HiddenSize);
            Linear(prefix + "self_attn.q_proj", queries, shape.HiddenSize, shape.HasInputBias);
            Linear(prefix + "self_attn.k_proj", keys, shape.HiddenSize, shape.HasInputBias);
            Linear(prefix + "self_attn.v_proj", keys, shape.HiddenSize, shape.HasInputBias);
            Linear(prefix + "self_attn.o_proj", shape.HiddenSize, queries, biased: false);
            if (shape.HasHeadNorms)
            {
                Add(prefix + "self_attn.q_norm.weight", 1, 0.2f, shape.HeadDim);
                Add(prefix + "self_attn.k_norm.weight", 1, 0.2f, shape.HeadDim);
            }
            Add(prefix + "post_attention_layernorm.weight", 1, 0.2f, shape.HiddenSize);
            Linear(prefix + "mlp.gate_proj", shape.FeedForwardSize, shape.HiddenSize, biased: false);
            Linear(prefix + "mlp.up_proj", shape.FeedForwardSize, shape.HiddenSize, biased: false);
            Linear(prefix + "mlp.down_proj", shape.HiddenSize, shape.FeedForwardSize, biased: false);
        }
        Add("model.norm.weight", 1, 0.2f, shape.HiddenSize);
        if (!shape.TiedEmbeddings)
        {
            Add("lm_head.weight", 0, 1, shape.VocabularySize, shape.HiddenSize);
        }
        return tensors;

        void Linear(string name, int outputs, int depth, bool biased)
        {
            // Wide enough that attention is not flat, so that wrong KV changes the logits.
            Add(name + ".weight", 0, 2f / MathF.Sqrt(depth), outputs, depth);
            if (biased)
            {
                Add(name + ".bias", 0, 0.5f, outputs);
            }
        }

        void Add(string name, float center, float spread, params int[] size)
        {
            var values = new float[size.Aggregate(1, (product, length) => product * length)];
            for (int index = 0; index < values.Length; index++)
            {
                values[index] = SafetensorsWriter.Round(center + (spread * (float)((random.NextDouble() * 2) - 1)), shape.Format);
            }
            tensors.Add(name, new TinyTensor(name, size, values));
        }
    }
}
