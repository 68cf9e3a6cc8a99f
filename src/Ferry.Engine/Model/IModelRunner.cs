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
    /// Called during <see cref="Forward"/>, on its thread and between two layers' work, for each slice and layer whose K and V are in the pool, layers in
    /// order. A long step runs in several parts, each of which goes through all layers. A runner without layers never calls it. It must not throw.
    /// </summary>
    Action<LayerProgress>? LayerStored
    {
        get => null;
        set { }
    }

    /// <summary>
    /// Computes K and V of every token of every slice into the pool, and for each slice with <see cref="SequenceSlice.WantsLogits"/>,
    /// in order, the logits of its last token into <paramref name="logits"/>: shape <c>[wanting slices, VocabularySize]</c>.
    /// </summary>
    void Forward(ReadOnlySpan<SequenceSlice> slices, Span<float> logits);
}
