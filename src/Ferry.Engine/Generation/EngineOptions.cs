using Ferry.Kv.Layout;

namespace Ferry.Engine.Generation;

/// <summary>How an engine runs its model: vLLM's names and meanings.</summary>
public sealed record EngineOptions
{
    /// <summary>Null: the last part of the model's path.</summary>
    public string? ModelName { get; init; }

    public DeviceProfile Device { get; init; } = DeviceProfile.Cpu;

    /// <summary>Null: the device profile's.</summary>
    public int? TensorParallelSize { get; init; }

    /// <summary>Null: the device profile's.</summary>
    public int? BlockTokens { get; init; }

    /// <summary>Null: the model's.</summary>
    public int? MaxModelLen { get; init; }

    public int MaxNumSeqs { get; init; } = 16;

    /// <summary>Tokens of one step over all sequences. Null: 512 with chunked prefill, else <see cref="MaxModelLen"/>.</summary>
    public int? MaxNumBatchedTokens { get; init; }

    /// <summary>Requests that may wait; one more is refused.</summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>Bytes of the KV pool over all ranks. Null: room for <see cref="MaxNumSeqs"/> sequences of full length, at most 1 GiB.</summary>
    public long? KvMemoryBytes { get; init; }

    /// <summary>Bytes that weights and KV pool may take together, when <see cref="KvMemoryBytes"/> is null: the pool takes what its sequences need, but not more. Null: the pool's own default limit.</summary>
    public long? MemoryBudgetBytes { get; init; }

    /// <summary>Exact number of blocks, above all sizes in bytes. Null: see <see cref="KvMemoryBytes"/>.</summary>
    public int? BlockCount { get; init; }

    public KvDType KvDType { get; init; } = KvDType.BFloat16;

    public bool EnablePrefixCaching { get; init; } = true;

    /// <summary>Without it a prompt is computed in one step, so <see cref="MaxNumBatchedTokens"/> must hold the longest.</summary>
    public bool EnableChunkedPrefill { get; init; } = true;

    /// <summary>Compute threads. 0: all cores.</summary>
    public int Threads { get; init; }

    /// <summary>Where requests without a seed draw theirs from.</summary>
    public long Seed { get; init; }
}
