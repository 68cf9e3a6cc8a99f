using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>What a model weighs. Formulas: docs/planning.md, "The model".</summary>
/// <param name="WeightBytes">All ranks together.</param>
/// <param name="KvElementBytes">Bytes of one element of the KV cache.</param>
/// <param name="KvBytesPerToken">K and V of one token, all layers, all ranks of a tensor-parallel size that divides the KV heads.</param>
public sealed record ModelFigures(ModelShape Shape, long WeightBytes, int KvElementBytes, long KvBytesPerToken)
{
    /// <exception cref="PlanException">The model is not known and the file says no shape.</exception>
    public static ModelFigures Of(ModelSpec model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var shape = model.TryShape() ?? throw new PlanException(
            $"The shape of {model.Id} is not known. Give it as model.shape: {{layers: N, hidden: N, heads: N, kvHeads: N, headDim: N, parameters: N}}, from the model's config.json; known are {string.Join(", ", KnownModels.Names)}.");
        var elementBytes = model.KvDType switch
        {
            KvCacheDType.Fp8 => 1,
            KvCacheDType.Float32 => 4,
            KvCacheDType.Auto when model.DType == ModelDType.Float32 => 4,
            _ => 2,
        };
        var weightBytes = model.DType switch
        {
            ModelDType.Fp8 => shape.Parameters,
            ModelDType.Float32 => shape.Parameters * 4,
            _ => shape.Parameters * 2,
        };
        return new(shape, weightBytes, elementBytes, 2L * shape.Layers * shape.KvHeads * shape.HeadDim * elementBytes);
    }

    /// <summary>K and V of one token, all layers, on one of <paramref name="ranks"/>: heads are repeated when there are more ranks than heads.</summary>
    public long KvBytesPerTokenAndRank(int ranks) => 2L * Shape.Layers * HeadsPerRank(ranks) * Shape.HeadDim * KvElementBytes;

    /// <summary>KV heads of one rank; at least one.</summary>
    public int HeadsPerRank(int ranks) => Math.Max(1, (Shape.KvHeads + ranks - 1) / ranks);

    /// <summary>Operations of a prompt: two a parameter and token, and the attention of each token to those before it.</summary>
    /// <param name="cachedTokens">Leading tokens whose KV is there: they are attended to, not computed.</param>
    public double PrefillOperations(long tokens, long cachedTokens = 0)
    {
        double fresh = tokens - cachedTokens;
        // Score and value products, 2 operations each, for heads x headDim: a fresh token at position t meets t tokens.
        var met = (fresh * cachedTokens) + (fresh * fresh / 2);
        return (2.0 * Shape.Active * fresh) + (4.0 * Shape.Layers * Shape.Heads * Shape.HeadDim * met);
    }

    /// <summary>Operations of one step: a token of each sequence, which meets all tokens before it.</summary>
    public double DecodeOperations(double sequences, double contextTokens) =>
        (2.0 * Shape.Active * sequences) + (4.0 * Shape.Layers * Shape.Heads * Shape.HeadDim * contextTokens);
}
