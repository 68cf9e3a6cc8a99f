namespace Ferry.Engine.Model;

/// <summary>What the model's makers advise, from <c>generation_config.json</c>; all empty when there is none.</summary>
public sealed record GenerationDefaults
{
    /// <summary>More end tokens than any tokenizer has.</summary>
    internal const int MaxEosTokens = 64;

    private const long MaxFileBytes = 1 << 20;

    public const string FileName = "generation_config.json";

    /// <summary>Token ids that end a text.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    public int? BosTokenId { get; init; }

    public int? PadTokenId { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? TopK { get; init; }

    public float? MinP { get; init; }

    public float? RepetitionPenalty { get; init; }

    public int? MaxNewTokens { get; init; }

    /// <summary>False means greedy unless a request says otherwise.</summary>
    public bool? DoSample { get; init; }

    /// <summary>Reads the file; the ids of <paramref name="config"/> stand in where it names none.</summary>
    internal static GenerationDefaults Read(string directory, ModelConfig config)
    {
        string path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
        {
            return new GenerationDefaults { EosTokenIds = config.EosTokenIds, BosTokenId = config.BosTokenId };
        }
        var json = ModelJson.Read(path, MaxFileBytes);
        var ends = json.Ints("eos_token_id", MaxEosTokens);
        foreach (int id in ends)
        {
            if (id < 0 || id >= config.VocabularySize)
            {
                throw new ModelLoadException($"{path}: eos_token_id {id} is not in the vocabulary of {config.VocabularySize}.");
            }
        }
        return new GenerationDefaults
        {
            EosTokenIds = ends.Count > 0 ? ends : config.EosTokenIds,
            BosTokenId = json.Int("bos_token_id", 0, int.MaxValue) ?? config.BosTokenId,
            PadTokenId = json.Int("pad_token_id", int.MinValue, int.MaxValue),
            Temperature = (float?)json.Number("temperature", 0, 1000),
            TopP = (float?)json.Number("top_p", 0, 1),
            TopK = json.Int("top_k", -1, int.MaxValue),
            MinP = (float?)json.Number("min_p", 0, 1),
            RepetitionPenalty = (float?)json.Number("repetition_penalty", 0, 1000),
            MaxNewTokens = json.Int("max_new_tokens", 1, int.MaxValue),
            DoSample = json.Has("do_sample") ? json.Bool("do_sample", true) : null,
        };
    }
}
