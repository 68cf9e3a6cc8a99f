namespace Ferry.Engine.Model;

/// <summary>Reads <c>config.json</c> and refuses by name what the engine would compute wrongly.</summary>
internal static class ModelConfigReader
{
    private const long MaxFileBytes = 1 << 20;

    // Caps far above any published model of this family; they keep every product of sizes within 64 bits.
    private const int MaxLayers = 1024;
    private const int MaxWidth = 1 << 18;
    private const int MaxHeads = 4096;
    private const int MaxHeadDim = 1024;
    private const int MaxVocabulary = 1 << 22;
    private const int MaxPositionCount = 1 << 26;

    public const string FileName = "config.json";

    public static ModelConfig Read(string directory)
    {
        string path = Path.Combine(directory, FileName);
        var json = ModelJson.Read(path, MaxFileBytes);
        string architecture = Architecture(json, path);
        RefuseWhatWouldBeWrong(json, path);

        int hidden = json.RequiredInt("hidden_size", 1, MaxWidth);
        int heads = json.RequiredInt("num_attention_heads", 1, MaxHeads);
        int kvHeads = json.Int("num_key_value_heads", 1, MaxHeads) ?? heads;
        int headDim = json.Int("head_dim", 2, MaxHeadDim) ?? hidden / heads;
        if (heads % kvHeads != 0)
        {
            throw new ModelLoadException($"{path}: num_attention_heads is {heads}, which is not a multiple of num_key_value_heads ({kvHeads}).");
        }
        if (headDim < 2 || headDim % 2 != 0 || headDim > MaxHeadDim)
        {
            throw new ModelLoadException($"{path}: the head dimension is {headDim}; it must be even and lie in 2..{MaxHeadDim}.");
        }
        bool biased = json.Bool("attention_bias", false);
        bool qwen2 = architecture == "Qwen2ForCausalLM";
        return new ModelConfig
        {
            Architecture = architecture,
            Layers = json.RequiredInt("num_hidden_layers", 1, MaxLayers),
            HiddenSize = hidden,
            FeedForwardSize = json.RequiredInt("intermediate_size", 1, MaxWidth),
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            VocabularySize = json.RequiredInt("vocab_size", 1, MaxVocabulary),
            MaxPositions = Positions(json),
            NormEpsilon = (float)(json.Number("rms_norm_eps", 0, 1) ?? 1e-6),
            Rope = Rope(json, path),
            TiedEmbeddings = json.Bool("tie_word_embeddings", false),
            AttentionInputBias = qwen2 || biased,
            AttentionOutputBias = biased && !qwen2,
            FeedForwardBias = json.Bool("mlp_bias", false),
            HeadNorms = architecture == "Qwen3ForCausalLM",
            EosTokenIds = json.Ints("eos_token_id", GenerationDefaults.MaxEosTokens),
            BosTokenId = json.Int("bos_token_id", 0, MaxVocabulary),
        };
    }

    private static string Architecture(ModelJson json, string path)
    {
        string[] known = ["LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"];
        var named = json.Strings("architectures", 16);
        if (named.Count == 0)
        {
            throw new ModelLoadException($"{path} names no architecture. Supported: {string.Join(", ", known)}.");
        }
        return Array.Find(known, named.Contains)
            ?? throw new ModelLoadException($"{path}: the architecture {string.Join(", ", named)} is not supported. Supported: {string.Join(", ", known)}.");
    }

    private static void RefuseWhatWouldBeWrong(ModelJson json, string path)
    {
        string activation = json.String("hidden_act") ?? "silu";
        if (activation is not ("silu" or "swish"))
        {
            throw new ModelLoadException($"{path}: hidden_act is {activation}; only silu is supported.");
        }
        if (json.Object("quantization_config") is { } quantization)
        {
            throw new ModelLoadException(
                $"{path}: the weights are quantized ({quantization.String("quant_method") ?? "by an unnamed method"}). Use weights in F32, F16 or BF16.");
        }
        if (json.Number("partial_rotary_factor", 0, 1) is { } partial && partial != 1)
        {
            throw new ModelLoadException($"{path}: partial_rotary_factor is {partial}; only whole heads can be rotated.");
        }
    }

    private static int Positions(ModelJson json)
    {
        int positions = json.Int("max_position_embeddings", 1, MaxPositionCount) ?? 2048;
        // Inside the window sliding attention is plain attention; Qwen's files carry a window that is switched off.
        int? window = json.Bool("use_sliding_window", true) ? json.Int("sliding_window", 1, MaxPositionCount) : null;
        return Math.Min(positions, window ?? positions);
    }

    private static RopeConfig Rope(ModelJson json, string path)
    {
        // transformers 5 moved theta and the scaling into rope_parameters.
        var scaling = json.Object("rope_parameters") ?? json.Object("rope_scaling");
        double theta = scaling?.Number("rope_theta", 1, 1e12) ?? json.Number("rope_theta", 1, 1e12) ?? 10_000;
        string kind = scaling?.String("rope_type") ?? scaling?.String("type") ?? "default";
        switch (kind)
        {
            case "default":
                return new RopeConfig(RopeKind.Default, theta);
            case "linear":
                return new RopeConfig(RopeKind.Linear, theta, Factor());
            case "llama3":
                double low = scaling!.Number("low_freq_factor", 1e-3, 1e6) ?? 1;
                double high = scaling.Number("high_freq_factor", 1e-3, 1e6) ?? 4;
                if (high <= low)
                {
                    throw new ModelLoadException($"{path}: rope_scaling.high_freq_factor is {high}; it must be above low_freq_factor ({low}).");
                }
                return new RopeConfig(
                    RopeKind.Llama3, theta, Factor(), low, high, scaling.Int("original_max_position_embeddings", 1, MaxPositionCount) ?? 8192);
            default:
                throw new ModelLoadException($"{path}: rope scaling of type {kind} is not supported. Supported: default, linear, llama3.");
        }

        double Factor() => scaling!.Number("factor", 1e-3, 1e6) ?? throw new ModelLoadException($"{path}: rope scaling of type {kind} has no factor.");
    }
}
