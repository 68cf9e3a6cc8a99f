using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>The arithmetic of one node: roofline times of prefill and decode. Used by the tables and by the simulation alike.</summary>
internal sealed class NodeModel
{
    private readonly ModelFigures _model;
    private readonly double _operationsPerSecond;
    private readonly double _memoryBytesPerSecond;

    public NodeModel(ClusterSpec spec, PoolSpec pool, ModelFigures model)
    {
        Pool = pool;
        Profile = spec.ProfileOf(pool);
        _model = model;
        Ranks = pool.TensorParallel;
        WeightBytesPerRank = model.WeightBytes / Ranks;
        KvBytesPerTokenAndRank = model.KvBytesPerTokenAndRank(Ranks);
        KvBytesPerRank = Math.Max(0, KvBudget(Profile, pool, WeightBytesPerRank));
        KvTokens = KvBytesPerRank / KvBytesPerTokenAndRank;
        var teraOperations = spec.Model.DType == ModelDType.Fp8 ? Profile.Fp8OrBf16Tflops : Profile.Bf16Tflops;
        // Logical ranks on a CPU share one machine; on accelerators each has a device of its own.
        var devices = Profile.Vendor == AcceleratorVendor.Cpu ? 1 : Ranks;
        _operationsPerSecond = teraOperations * 1e12 * devices * Profile.PrefillEfficiency;
        _memoryBytesPerSecond = Profile.MemoryBytesPerSecond * Profile.DecodeEfficiency * devices;
        HostBytesPerSecond = (double)Profile.HostBytesPerSecond * devices;
    }

    public PoolSpec Pool { get; }

    public AcceleratorProfile Profile { get; }

    public int Ranks { get; }

    public long WeightBytesPerRank { get; }

    public long KvBytesPerTokenAndRank { get; }

    public long KvBytesPerRank { get; }

    public long KvTokens { get; }

    /// <summary>Between host and all devices of the engine, in one direction.</summary>
    public double HostBytesPerSecond { get; }

    public double WeightStepSeconds => _model.WeightBytes / _memoryBytesPerSecond;

    public double PrefillSeconds(long tokens, long cachedTokens = 0) => _model.PrefillOperations(tokens, cachedTokens) / _operationsPerSecond;

    /// <summary>One decode step of sequences that hold <paramref name="contextTokens"/> tokens together.</summary>
    public double StepSeconds(double sequences, double contextTokens)
    {
        var memory = (_model.WeightBytes + (contextTokens * KvBytesPerTokenAndRank * Ranks)) / _memoryBytesPerSecond;
        var arithmetic = _model.DecodeOperations(sequences, contextTokens) / _operationsPerSecond;
        return Math.Max(memory, arithmetic);
    }

    /// <summary>What one device has for KV. The two rules are vLLM's own and that of its Gaudi plugin.</summary>
    private static long KvBudget(AcceleratorProfile profile, PoolSpec pool, long weightBytesPerRank)
    {
        // Without accelerators the ranks of a node share one memory.
        var memory = profile.Vendor == AcceleratorVendor.Cpu ? profile.MemoryBytes / pool.TensorParallel : profile.MemoryBytes;
        return profile.MemoryRule == MemoryRule.AfterWeights
            ? (long)((memory - weightBytesPerRank - profile.ReserveBytes) * pool.MemoryUtilization * (1 - profile.GraphShare))
            : (long)(memory * pool.MemoryUtilization) - weightBytesPerRank - profile.ReserveBytes;
    }
}
