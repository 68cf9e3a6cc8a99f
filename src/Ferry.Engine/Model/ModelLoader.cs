using Ferry.Engine.Kernels;

namespace Ferry.Engine.Model;

/// <summary>Builds a model from its directory: the files are mapped, packed panel by panel, and closed again.</summary>
/// <param name="memory">Takes the weights; freed when loading fails, else the model's.</param>
internal sealed class ModelLoader(string directory, LoadOptions options, WeightMemory memory)
{
    // Rows that are packed at a time: one panel, so that its strided writes stay in the cache.
    private const int RowsPerStep = PackedMatrix.PanelOutputs;

    // What checkpoints carry beside the weights.
    private static readonly string[] s_ignoredSuffixes = [".rotary_emb.inv_freq"];

    private readonly List<Action> _fillings = [];

    public LlamaModel Load()
    {
        if (!Directory.Exists(directory))
        {
            throw new ModelLoadException(File.Exists(directory)
                ? $"{directory} is a file; the directory that holds config.json and *.safetensors is needed."
                : $"{directory} does not exist. Give the directory of a model in Hugging Face layout.");
        }
        var config = ModelConfigReader.Read(directory);
        var generation = GenerationDefaults.Read(directory, config);
        using var weights = WeightFiles.Open(directory);
        try
        {
            return Build(config, generation, weights);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private LlamaModel Build(ModelConfig config, GenerationDefaults generation, WeightFiles weights)
    {
        var expected = new HashSet<string>(StringComparer.Ordinal);
        var layers = new DecoderLayer[config.Layers];
        for (int index = 0; index < layers.Length; index++)
        {
            layers[index] = Layer(config, weights, $"model.layers.{index}.", expected);
        }
        const string EmbeddingName = "model.embed_tokens.weight";
        const string HeadName = "lm_head.weight";
        if (!config.TiedEmbeddings && weights.TryFind(HeadName) is null)
        {
            throw new ModelLoadException($"{directory}: the tensor {HeadName} is missing, and {ModelConfigReader.FileName} does not set tie_word_embeddings.");
        }
        var head = Matrix(weights, config.HiddenSize, [(config.TiedEmbeddings ? EmbeddingName : HeadName, config.VocabularySize)], null, expected);
        var embedding = config.TiedEmbeddings ? null : Embedding(config, weights, EmbeddingName);
        expected.Add(EmbeddingName);
        expected.Add(HeadName); // Some tied checkpoints store it all the same.
        var norm = Vector(weights, "model.norm.weight", config.HiddenSize, expected);
        RefuseUnknown(weights, expected);

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads ?? Environment.ProcessorCount };
        try
        {
            Parallel.ForEach(_fillings, parallel, fill => fill());
        }
        catch (AggregateException exception)
        {
            throw new ModelLoadException($"{directory}: the weights could not be read: {exception.InnerExceptions[0].Message}", exception);
        }
        return new LlamaModel(directory, config, generation, ModelFingerprint.Of(config, weights), layers, embedding, norm, head, memory);
    }

    private DecoderLayer Layer(ModelConfig config, WeightFiles weights, string prefix, HashSet<string> expected)
    {
        int hidden = config.HiddenSize;
        int queries = config.Heads * config.HeadDim;
        int keys = config.KvHeads * config.HeadDim;
        string attention = prefix + "self_attn.";
        string forward = prefix + "mlp.";
        return new DecoderLayer
        {
            AttentionNorm = Vector(weights, prefix + "input_layernorm.weight", hidden, expected),
            QueryKeyValue = Matrix(
                weights, hidden, [(attention + "q_proj.weight", queries), (attention + "k_proj.weight", keys), (attention + "v_proj.weight", keys)],
                config.AttentionInputBias, expected),
            QueryNorm = config.HeadNorms ? Vector(weights, attention + "q_norm.weight", config.HeadDim, expected) : null,
            KeyNorm = config.HeadNorms ? Vector(weights, attention + "k_norm.weight", config.HeadDim, expected) : null,
            AttentionOutput = Matrix(weights, queries, [(attention + "o_proj.weight", hidden)], config.AttentionOutputBias, expected),
            FeedForwardNorm = Vector(weights, prefix + "post_attention_layernorm.weight", hidden, expected),
            GateUp = Matrix(
                weights, hidden, [(forward + "gate_proj.weight", config.FeedForwardSize), (forward + "up_proj.weight", config.FeedForwardSize)],
                config.FeedForwardBias, expected),
            Down = Matrix(weights, config.FeedForwardSize, [(forward + "down_proj.weight", hidden)], config.FeedForwardBias, expected),
        };
    }

    /// <summary>Several linear layers of the same input as one matrix, filled later by <see cref="_fillings"/>.</summary>
    /// <param name="biased">Whether each part has a bias; null: never.</param>
    private PackedMatrix Matrix(
        WeightFiles weights, int depth, ReadOnlySpan<(string Name, int Outputs)> parts, bool? biased, HashSet<string> expected)
    {
        var tensors = new List<(TensorInfo Tensor, int Outputs)>();
        int outputs = 0;
        foreach (var (name, partOutputs) in parts)
        {
            expected.Add(name);
            tensors.Add((weights.Find(name, partOutputs, depth), partOutputs));
            outputs += partOutputs;
        }
        // Parts of one format keep it; a mixture is widened, which loses nothing.
        var format = weights.Format(tensors[0].Tensor);
        if (tensors.Exists(part => weights.Format(part.Tensor) != format))
        {
            format = WeightFormat.Float32;
        }
        var matrix = new PackedMatrix(outputs, depth, format, memory);
        int first = 0;
        foreach (var (tensor, partOutputs) in tensors)
        {
            int firstOutput = first;
            for (int row = 0; row < partOutputs; row += RowsPerStep * 32)
            {
                int from = row;
                int to = Math.Min(partOutputs, row + (RowsPerStep * 32));
                _fillings.Add(() => Fill(weights, tensor, matrix, firstOutput, from, to));
            }
            first += partOutputs;
        }
        if (biased == true)
        {
            matrix.SetBias(Bias(weights, parts, expected));
        }
        return matrix;
    }

    private static void Fill(WeightFiles weights, TensorInfo tensor, PackedMatrix matrix, int firstOutput, int from, int to)
    {
        var format = weights.Format(tensor);
        int rowBytes = checked(matrix.Depth * format.Bytes());
        for (int row = from; row < to; row += RowsPerStep)
        {
            int rows = Math.Min(RowsPerStep, to - row);
            matrix.PackRows(firstOutput + row, weights.Bytes(tensor, (long)row * rowBytes, rows * rowBytes), format);
        }
    }

    private static float[] Bias(WeightFiles weights, ReadOnlySpan<(string Name, int Outputs)> parts, HashSet<string> expected)
    {
        var bias = new List<float>();
        foreach (var (name, outputs) in parts)
        {
            string biasName = name[..^".weight".Length] + ".bias";
            expected.Add(biasName);
            bias.AddRange(Floats(weights, weights.Find(biasName, outputs)));
        }
        return [.. bias];
    }

    private WeightVector Vector(WeightFiles weights, string name, int length, HashSet<string> expected)
    {
        expected.Add(name);
        return new WeightVector(Floats(weights, weights.Find(name, length)), memory);
    }

    private EmbeddingTable Embedding(ModelConfig config, WeightFiles weights, string name)
    {
        var tensor = weights.Find(name, config.VocabularySize, config.HiddenSize);
        var table = new EmbeddingTable(config.VocabularySize, config.HiddenSize, weights.Format(tensor), memory);
        int rowBytes = config.HiddenSize * weights.Format(tensor).Bytes();
        _fillings.Add(() =>
        {
            for (int row = 0; row < config.VocabularySize; row++)
            {
                table.SetRows(row, weights.Bytes(tensor, (long)row * rowBytes, rowBytes));
            }
        });
        return table;
    }

    private static float[] Floats(WeightFiles weights, TensorInfo tensor)
    {
        var format = weights.Format(tensor);
        var bytes = weights.Bytes(tensor, 0, checked((int)tensor.ByteCount));
        var values = new float[tensor.Shape[0]];
        for (int index = 0; index < values.Length; index++)
        {
            values[index] = PackedMatrix.ReadWeight(bytes, index, format);
        }
        return values;
    }

    /// <summary>A tensor that is not used means a model that computes something else: silence would give wrong answers.</summary>
    private void RefuseUnknown(WeightFiles weights, HashSet<string> expected)
    {
        foreach (string name in weights.Names)
        {
            if (!expected.Contains(name) && !Array.Exists(s_ignoredSuffixes, suffix => name.EndsWith(suffix, StringComparison.Ordinal)))
            {
                throw new ModelLoadException(
                    $"{directory}: the weights have a tensor {name}, which a model of {ModelConfigReader.FileName}'s architecture and layers does not use. The two do not belong together, or the model has parts that are not supported.");
            }
        }
    }
}
