using Ferry.Kv.Layout;

namespace Ferry.Engine.KvCache;

/// <summary>Shape and size of the engine's pages.</summary>
public sealed record KvPoolOptions
{
    /// <summary>Tokens of one block, 1 to 1024.</summary>
    public int BlockTokens { get; init; } = 16;

    /// <summary><see cref="KvOrder.Nhd"/> or <see cref="KvOrder.Hnd"/>.</summary>
    public KvOrder Order { get; init; } = KvOrder.Hnd;

    public KvPacking Packing { get; init; } = KvPacking.Halves;

    /// <summary>One contiguous piece a block, all layers in it.</summary>
    public bool BlockMajor { get; init; }

    /// <summary>Logical ranks, each with memory of its own; divides the model's KV heads, or is a multiple of them (heads are then replicated).</summary>
    public int TensorParallelSize { get; init; } = 1;

    /// <summary>bf16, fp16 or fp32.</summary>
    public KvDType DType { get; init; } = KvDType.BFloat16;

    /// <summary>Blocks; null: as many as fit in <see cref="MemoryBytes"/>.</summary>
    public int? BlockCount { get; init; }

    /// <summary>Upper limit of the pool over all ranks, used when <see cref="BlockCount"/> is null.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>The shape that <paramref name="profile"/> emulates.</summary>
    public static KvPoolOptions For(DeviceProfile profile) => new()
    {
        BlockTokens = profile.BlockTokens,
        Order = profile.Order,
        Packing = profile.Packing,
        TensorParallelSize = profile.TensorParallelSize,
    };
}
