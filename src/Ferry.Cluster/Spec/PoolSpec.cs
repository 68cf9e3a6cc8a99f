namespace Ferry.Cluster.Spec;

/// <summary>Nodes that are alike: one role, one engine, one accelerator.</summary>
public sealed record PoolSpec
{
    [SpecKey("name", "Name of the pool, part of the names of its containers and workloads.", Pattern = SpecText.NamePattern, PatternText = SpecText.NameText, Example = "prefill")]
    public required string Name { get; init; }

    [SpecKey("role", "What its nodes do.")]
    public PoolRole Role { get; init; }

    [SpecKey("accelerator", "mi300x, gaudi3, cpu, or a name in profiles.", Example = "mi300x")]
    public required string Accelerator { get; init; }

    [SpecKey("engine", "What serves the model.")]
    public EngineSpec Engine { get; init; } = new();

    [SpecKey("nodes", "The machines.", MinimumItems = 1, MaximumItems = 256)]
    public required IReadOnlyList<NodeSpec> Nodes { get; init; }

    [SpecKey("port", "Port of the OpenAI API.", Minimum = 1, Maximum = 65_535)]
    public int Port { get; init; } = 8000;

    [SpecKey("devices", "Accelerators that the engine of each node sees, by index.", MinimumItems = 1, MaximumItems = 64, Minimum = 0, Maximum = 1023, DefaultText = "the first tensorParallel ones")]
    public IReadOnlyList<int>? Devices { get; init; }

    [SpecKey("tensorParallel", "Ranks that share the heads.", Minimum = 1, Maximum = 1024)]
    public int TensorParallel { get; init; } = 1;

    [SpecKey("blockTokens", "Tokens of one KV block (--block-size).", Minimum = 1, Maximum = 4096, DefaultText = "the accelerator's")]
    public int? BlockTokens { get; init; }

    [SpecKey("memoryUtilization", "Share of accelerator memory for weights and KV (--gpu-memory-utilization). On Gaudi vLLM takes it of what the weights leave free.", Minimum = 0.01, Maximum = 1)]
    public double MemoryUtilization { get; init; } = 0.9;

    [SpecKey("limits", "Bounds of one engine.")]
    public LimitsSpec Limits { get; init; } = new();

    [SpecKey("cache", "Sizes of this pool's exchanges where they differ from the cluster's.")]
    public PoolCacheSpec Cache { get; init; } = new();
}
