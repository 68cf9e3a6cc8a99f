using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Ferry.Benchmarks.Engine;

/// <summary>Random bf16 weights of SmolLM2-360M's shape, written as safetensors for Ferry and as GGUF for llama.cpp: the same numbers in both.</summary>
internal static class SyntheticModel
{
    public const int Layers = 32;
    public const int Hidden = 960;
    public const int Heads = 15;
    public const int KvHeads = 5;
    public const int HeadDim = 64;
    public const int FeedForward = 2560;
    public const int Vocabulary = 49_152;
    public const int Positions = 8192;

    private const uint GgufTypeF32 = 0;
    private const uint GgufTypeBf16 = 30;
    private const int GgufAlignment = 32;

    private static readonly (string Hub, string Gguf, int[] Shape)[] s_layer =
    [
        ("input_layernorm", "attn_norm", [Hidden]),
        ("self_attn.q_proj", "attn_q", [Heads * HeadDim, Hidden]),
        ("self_attn.k_proj", "attn_k", [KvHeads * HeadDim, Hidden]),
        ("self_attn.v_proj", "attn_v", [KvHeads * HeadDim, Hidden]),
        ("self_attn.o_proj", "attn_output", [Hidden, Heads * HeadDim]),
        ("post_attention_layernorm", "ffn_norm", [Hidden]),
        ("mlp.gate_proj", "ffn_gate", [FeedForward, Hidden]),
        ("mlp.up_proj", "ffn_up", [FeedForward, Hidden]),
        ("mlp.down_proj", "ffn_down", [Hidden, FeedForward]),
    ];

    /// <summary>Bytes of the weights: two each, norms included.</summary>
    public static long WeightBytes => Tensors().Sum(tensor => tensor.Shape.Aggregate(2L, (product, size) => product * size));

    /// <summary>Writes both forms into <paramref name="directory"/> unless they are there; returns the GGUF file's path.</summary>
    public static string Write(string directory)
    {
        Directory.CreateDirectory(directory);
        string gguf = Path.Combine(directory, "model.gguf");
        string done = Path.Combine(directory, "complete");
        if (!File.Exists(done))
        {
            File.WriteAllText(Path.Combine(directory, "config.json"), Config());
            WriteSafetensors(Path.Combine(directory, "model.safetensors"));
            WriteGguf(gguf);
            File.WriteAllText(done, "");
        }
        return gguf;
    }

    private static IEnumerable<(string Hub, string Gguf, int[] Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", "token_embd.weight", [Vocabulary, Hidden]);
        for (int layer = 0; layer < Layers; layer++)
        {
            foreach (var (hub, gguf, shape) in s_layer)
            {
                yield return ($"model.layers.{layer}.{hub}.weight", $"blk.{layer}.{gguf}.weight", shape);
            }
        }
        yield return ("model.norm.weight", "output_norm.weight", [Hidden]);
    }

    /// <summary>The tensor's numbers as bf16 bits: norms 1, matrices evenly spread, seeded by the name's place.</summary>
    private static ushort[] Values(int index, int[] shape)
    {
        var values = new ushort[shape.Aggregate(1, (product, size) => product * size)];
        if (shape.Length == 1)
        {
            values.AsSpan().Fill(0x3F80);
            return values;
        }
        uint state = (uint)(index + 1) * 2654435761;
        float scale = 1.7f / MathF.Sqrt(shape[1]) / int.MaxValue;
        for (int i = 0; i < values.Length; i++)
        {
            // xorshift32: quick and repeatable.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            values[i] = (ushort)(BitConverter.SingleToUInt32Bits((int)state * scale) >> 16);
        }
        return values;
    }

    private static string Config() => new JsonObject
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["hidden_act"] = "silu",
        ["hidden_size"] = Hidden,
        ["intermediate_size"] = FeedForward,
        ["num_hidden_layers"] = Layers,
        ["num_attention_heads"] = Heads,
        ["num_key_value_heads"] = KvHeads,
        ["head_dim"] = HeadDim,
        ["vocab_size"] = Vocabulary,
        ["max_position_embeddings"] = Positions,
        ["rms_norm_eps"] = 1e-5,
        ["rope_theta"] = 100_000.0,
        ["tie_word_embeddings"] = true,
        ["eos_token_id"] = 2,
    }.ToJsonString();

    private static void WriteSafetensors(string path)
    {
        var header = new JsonObject();
        long offset = 0;
        foreach (var (name, _, shape) in Tensors())
        {
            long bytes = shape.Aggregate(2L, (product, size) => product * size);
            header[name] = new JsonObject
            {
                ["dtype"] = "BF16",
                ["shape"] = new JsonArray([.. shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(offset, offset + bytes),
            };
            offset += bytes;
        }
        byte[] json = Encoding.UTF8.GetBytes(header.ToJsonString());
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Write(length);
        file.Write(json);
        int index = 0;
        foreach (var (_, _, shape) in Tensors())
        {
            file.Write(MemoryMarshal.AsBytes<ushort>(Values(index++, shape)));
        }
    }

    /// <summary>GGUF 3 with a made-up vocabulary: only speed is measured.</summary>
    private static void WriteGguf(string path)
    {
        using var writer = new BinaryWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20));
        var tensors = Tensors().ToArray();
        var entries = new List<Action>();
        void Entry(string key, uint type, Action value) => entries.Add(() =>
        {
            Text(writer, key);
            writer.Write(type);
            value();
        });
        Entry("general.architecture", 8, () => Text(writer, "llama"));
        Entry("general.name", 8, () => Text(writer, "synthetic"));
        Entry("llama.context_length", 4, () => writer.Write((uint)Positions));
        Entry("llama.embedding_length", 4, () => writer.Write((uint)Hidden));
        Entry("llama.block_count", 4, () => writer.Write((uint)Layers));
        Entry("llama.feed_forward_length", 4, () => writer.Write((uint)FeedForward));
        Entry("llama.attention.head_count", 4, () => writer.Write((uint)Heads));
        Entry("llama.attention.head_count_kv", 4, () => writer.Write((uint)KvHeads));
        Entry("llama.attention.layer_norm_rms_epsilon", 6, () => writer.Write(1e-5f));
        Entry("llama.rope.freq_base", 6, () => writer.Write(100_000f));
        Entry("llama.rope.dimension_count", 4, () => writer.Write((uint)HeadDim));
        Entry("llama.vocab_size", 4, () => writer.Write((uint)Vocabulary));
        Entry("tokenizer.ggml.model", 8, () => Text(writer, "llama"));
        Entry("tokenizer.ggml.tokens", 9, () => Array(8, index => Text(writer, Token(index))));
        Entry("tokenizer.ggml.scores", 9, () => Array(6, index => writer.Write(-(float)index)));
        Entry("tokenizer.ggml.token_type", 9, () => Array(5, index => writer.Write(index == 0 ? 2 : index < 3 ? 3 : index < 259 ? 6 : 1)));
        Entry("tokenizer.ggml.bos_token_id", 4, () => writer.Write(1u));
        Entry("tokenizer.ggml.eos_token_id", 4, () => writer.Write(2u));

        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Length);
        writer.Write((ulong)entries.Count);
        entries.ForEach(entry => entry());
        ulong offset = 0;
        foreach (var (_, name, shape) in tensors)
        {
            Text(writer, name);
            writer.Write((uint)shape.Length);
            foreach (int size in shape.Reverse())
            {
                writer.Write((ulong)size);
            }
            writer.Write(shape.Length == 1 ? GgufTypeF32 : GgufTypeBf16);
            writer.Write(offset);
            offset += Aligned((ulong)shape.Aggregate(shape.Length == 1 ? 4L : 2L, (product, size) => product * size));
        }
        for (int index = 0; index < tensors.Length; index++)
        {
            Pad(writer);
            var values = Values(index, tensors[index].Shape);
            writer.Write(tensors[index].Shape.Length == 1
                ? MemoryMarshal.AsBytes<float>([.. values.Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))])
                : MemoryMarshal.AsBytes<ushort>(values));
        }
        Pad(writer);

        void Array(uint type, Action<int> write)
        {
            writer.Write(type);
            writer.Write((ulong)Vocabulary);
            for (int index = 0; index < Vocabulary; index++)
            {
                write(index);
            }
        }
    }

    private static string Token(int index) => index switch
    {
        0 => "<unk>",
        1 => "<s>",
        2 => "</s>",
        < 259 => $"<0x{index - 3:X2}>",
        _ => $"t{index}",
    };

    private static ulong Aligned(ulong offset) => (offset + GgufAlignment - 1) / GgufAlignment * GgufAlignment;

    private static void Pad(BinaryWriter writer)
    {
        writer.Flush();
        while (writer.BaseStream.Position % GgufAlignment != 0)
        {
            writer.Write((byte)0);
        }
    }

    private static void Text(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
