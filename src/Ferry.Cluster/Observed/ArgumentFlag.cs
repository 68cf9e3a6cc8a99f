using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>A flag on a command line.</summary>
/// <param name="Name">As written, with its dashes: <c>--tensor-parallel-size</c>, <c>-tp</c>, <c>--no-enable-prefix-caching</c>.</param>
/// <param name="Value">Behind <c>=</c>, or the next word; null for a flag that stands alone.</param>
/// <param name="Span">Name and value.</param>
internal sealed record ArgumentFlag(SourcedText Name, SourcedText? Value, SourceSpan Span)
{
    /// <summary>Lower case words joined by '-', as vLLM compares them: <c>--max_model_len</c> is <c>--max-model-len</c>.</summary>
    public string Key => ProcessArguments.Normalize(Name.Value);
}
