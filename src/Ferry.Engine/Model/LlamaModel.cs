using Ferry.Engine.Kernels;

namespace Ferry.Engine.Model;

/// <summary>A Llama-family model in memory: shape, packed weights, fingerprint. Immutable; any number of runners may share it.</summary>
/// <remarks>The owner disposes it after the last runner.</remarks>
public sealed class LlamaModel : IDisposable
{
    private readonly DecoderLayer[] _layers;

    internal LlamaModel(
        string directory, ModelConfig config, GenerationDefaults generation, UInt128 fingerprint,
        DecoderLayer[] layers, EmbeddingTable? embedding, WeightVector finalNorm, PackedMatrix head, WeightMemory memory)
    {
        Directory = directory;
        Config = config;
        Generation = generation;
        Fingerprint = fingerprint;
        _layers = layers;
        Embedding = embedding;
        FinalNorm = finalNorm;
        Head = head;
        Memory = memory;
    }

    public string Directory { get; }

    public ModelConfig Config { get; }

    public GenerationDefaults Generation { get; }

    /// <summary>Equal for equal shape and weights, wherever they lie: see <see cref="ModelFingerprint"/>.</summary>
    public UInt128 Fingerprint { get; }

    /// <summary>Bytes of all weights in memory: one copy, in the precision of the file.</summary>
    public long WeightBytes => Memory.ByteCount;

    /// <summary>Null when the head's weights serve as the embedding.</summary>
    internal EmbeddingTable? Embedding { get; }

    internal WeightVector FinalNorm { get; }

    internal PackedMatrix Head { get; }

    internal WeightMemory Memory { get; }

    /// <summary>Loads a directory in Hugging Face layout: <c>config.json</c>, <c>generation_config.json</c> (if any), safetensors.</summary>
    /// <exception cref="ModelLoadException">The directory cannot be used; the message says why and what would help.</exception>
    public static LlamaModel Load(string directory, LoadOptions? options = null) =>
        new ModelLoader(directory, options ?? new LoadOptions(), new WeightMemory()).Load();

    internal DecoderLayer Layer(int index) => _layers[index];

    public void Dispose() => Memory.Dispose();
}
