namespace Ferry.Cluster.Spec;

/// <summary>What <c>ferry plan</c> cannot know: workload, prices, rates that you measured.</summary>
public sealed record PlanSpec
{
    [SpecKey("promptTokens", "Tokens of a typical prompt.", Minimum = 1, Maximum = 100_000_000)]
    public int PromptTokens { get; init; } = 8192;

    [SpecKey("outputTokens", "Tokens of a typical answer.", Minimum = 1, Maximum = 100_000_000)]
    public int OutputTokens { get; init; } = 256;

    [SpecKey("requestsPerSecond", "Load of the whole cluster; left out, what its slowest part can carry is taken for the price.", Minimum = 0.000001, Maximum = 1e9)]
    public double? RequestsPerSecond { get; init; }

    [SpecKey("concurrentSequences", "Sequences that decode at once on a node, for its speed; left out, as many as its memory and limits allow.", Minimum = 1, Maximum = 1_000_000)]
    public int? ConcurrentSequences { get; init; }

    [SpecKey("prefixHitRatio", "Share of prompt tokens that a cache already has, where no trace is given.", Minimum = 0, Maximum = 1)]
    public double PrefixHitRatio { get; init; }

    [SpecKey("memoryRate", "Rate at which an exchange's memory tier gives KV to its engine.", Unit = SpecUnit.BytesPerSecond, Minimum = 1e6, Maximum = 1e13)]
    public long MemoryBytesPerSecond { get; init; } = 25_000_000_000;

    [SpecKey("diskRate", "Rate of a node's disk tier.", Unit = SpecUnit.BytesPerSecond, Minimum = 1e5, Maximum = 1e13)]
    public long DiskBytesPerSecond { get; init; } = 1_200_000_000;

    [SpecKey("storageRate", "Rate at which one node reads from the shared tier.", Unit = SpecUnit.BytesPerSecond, Minimum = 1e5, Maximum = 1e13)]
    public long StorageBytesPerSecond { get; init; } = 1_000_000_000;

    [SpecKey("storageLatencyMs", "Time to the first byte of an object of the shared tier, in milliseconds.", Minimum = 0, Maximum = 60_000)]
    public double StorageLatencyMs { get; init; } = 30;

    [SpecKey("prices", "What a node of a pool costs an hour, by pool, in any one currency.", MaximumItems = 64, Minimum = 0, Maximum = 1e9)]
    public IReadOnlyDictionary<string, double> Prices { get; init; } = new Dictionary<string, double>();

    [SpecKey("seed", "Seed of the simulation.", Minimum = 0, Maximum = int.MaxValue)]
    public int Seed { get; init; } = 1;
}
