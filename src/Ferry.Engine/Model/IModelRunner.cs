using Ferry.Engine.KvCache;

namespace Ferry.Engine.Model;

/// <summary>Runs one step of the model over slices of many sequences. Called by the engine's own thread only.</summary>
/// <remarks>
/// Batch-invariant and split-invariant: the logits of a token depend on the tokens before it and on nothing else — not on the
/// other slices of the step, not on how the prompt was cut into steps, not on which blocks the KV lies in.
/// </remarks>
public interface IModelRunner
{
    int VocabularySize { get; }

    /// <summary>The pages that the step reads and writes.</summary>
    KvPool KvPool { get; }

    /// <summary>
    /// Computes K and V of every token of every slice into the pool, and for each slice with <see cref="SequenceSlice.WantsLogits"/>,
    /// in order, the logits of its last token into <paramref name="logits"/>: shape <c>[wanting slices, VocabularySize]</c>.
    /// </summary>
    void Forward(ReadOnlySpan<SequenceSlice> slices, Span<float> logits);
}
