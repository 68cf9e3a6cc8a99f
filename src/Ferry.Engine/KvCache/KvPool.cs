using Ferry.Kv.Layout;

namespace Ferry.Engine.KvCache;

/// <summary>The engine's pages: for each logical tensor-parallel rank one native allocation in the emulated layout.</summary>
/// <remarks>Not thread-safe: the engine's own thread writes; a block that only a waiting request owns may be filled by that thread alone.</remarks>
public abstract class KvPool
{
    public abstract int TensorParallelSize { get; }

    public abstract int BlockTokens { get; }

    public abstract int BlockCount { get; }

    /// <summary>Bytes of one block over all ranks and layers.</summary>
    public abstract long BlockBytes { get; }

    /// <summary>Layout of a piece of <paramref name="tokenCount"/> tokens of one rank as <see cref="CopyOut"/> writes it.</summary>
    public abstract KvLayout RankLayout(int rank, int tokenCount);

    /// <summary>Copies <paramref name="tokenCount"/> tokens that start at the first of <paramref name="blocks"/> out of the pool, unused tail tokens as zeros.</summary>
    /// <param name="destination">Exactly <c>RankLayout(rank, tokenCount).PayloadBytes</c> long.</param>
    public abstract void CopyOut(int rank, ReadOnlySpan<int> blocks, int tokenCount, Span<byte> destination);

    /// <summary>Whether each layer is one run of a piece's bytes, layer 0 first, so that <see cref="CopyOutLayer"/> can be used.</summary>
    public virtual bool IsLayerMajor => false;

    /// <summary>As <see cref="CopyOut"/>, but one layer alone.</summary>
    /// <param name="destination">The layer's run of the piece: all runs are equally long.</param>
    /// <exception cref="NotSupportedException">Not <see cref="IsLayerMajor"/>.</exception>
    public virtual void CopyOutLayer(int rank, ReadOnlySpan<int> blocks, int tokenCount, int layer, Span<byte> destination) =>
        throw new NotSupportedException("The layers of this pool do not lie apart.");

    /// <summary>Copies a piece laid out as <see cref="RankLayout"/> into the pool, leaving its first <paramref name="skipBlocks"/> blocks alone (they may be shared).</summary>
    public abstract void CopyIn(int rank, ReadOnlySpan<int> blocks, int tokenCount, int skipBlocks, ReadOnlySpan<byte> source);
}
