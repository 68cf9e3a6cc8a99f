namespace Ferry.Cluster.Spec;

/// <summary>A whole cluster as ferry.yaml describes it. Immutable; whoever reads one from a file has had every key checked.</summary>
public sealed record ClusterSpec
{
    [SpecKey("version", "Version of this format.", Minimum = 1, Maximum = 1)]
    public int Version { get; init; } = 1;

    [SpecKey("name", "Name of the cluster: prefix of what is rendered, prefix of its keys in a shared tier.", Pattern = SpecText.NamePattern, PatternText = SpecText.NameText, Example = "llama-70b")]
    public required string Name { get; init; }

    [SpecKey("model", "The model that every pool serves.")]
    public required ModelSpec Model { get; init; }

    [SpecKey("pools", "Groups of equal nodes.", MinimumItems = 1, MaximumItems = 64)]
    public required IReadOnlyList<PoolSpec> Pools { get; init; }

    [SpecKey("profiles", "Accelerators of your own, by name; each may start from a known one.", MaximumItems = 64)]
    public IReadOnlyDictionary<string, AcceleratorProfile> Profiles { get; init; } = new Dictionary<string, AcceleratorProfile>();

    [SpecKey("handover", "How KV gets from prefill to decode.")]
    public HandoverSpec Handover { get; init; } = new();

    [SpecKey("cache", "The exchange of every node; pools may differ in sizes.")]
    public CacheSpec Cache { get; init; } = new();

    [SpecKey("storage", "The tier that all nodes share: one of s3, redis, directory. Without it each node keeps its own cache.")]
    public StorageSpec Storage { get; init; } = new();

    [SpecKey("transport", "The network between nodes.")]
    public TransportSpec Transport { get; init; } = new();

    [SpecKey("router", "The router in front of the pools.")]
    public RouterSpec Router { get; init; } = new();

    [SpecKey("kubernetes", "Where and how manifests are rendered.")]
    public KubernetesSpec Kubernetes { get; init; } = new();

    [SpecKey("plan", "Workload, prices and measured rates for ferry plan.")]
    public PlanSpec Plan { get; init; } = new();

    /// <summary>Pools that compute prompts; a pool of role both is one.</summary>
    public IEnumerable<PoolSpec> PrefillPools => Pools.Where(pool => pool.Role is PoolRole.Prefill or PoolRole.Both);

    /// <summary>Pools that generate; a pool of role both is one.</summary>
    public IEnumerable<PoolSpec> DecodePools => Pools.Where(pool => pool.Role is PoolRole.Decode or PoolRole.Both);

    /// <summary>Whether KV has to move: some pool only prefills, some only decodes.</summary>
    public bool IsDisaggregated => Pools.Any(pool => pool.Role == PoolRole.Prefill) && Pools.Any(pool => pool.Role != PoolRole.Prefill);

    /// <summary>Every node with its pool, in the order of the file.</summary>
    public IEnumerable<(PoolSpec Pool, NodeSpec Node)> Nodes => Pools.SelectMany(pool => pool.Nodes.Select(node => (pool, node)));

    /// <summary>The accelerator of a pool: of this file, else a known one.</summary>
    /// <exception cref="ArgumentException">The pool names none; a spec that was read from a file has no such pool.</exception>
    public AcceleratorProfile ProfileOf(PoolSpec pool) =>
        AcceleratorProfiles.TryResolve(pool.Accelerator, Profiles) ?? throw new ArgumentException($"Pool {pool.Name} names the accelerator '{pool.Accelerator}', which is neither known nor in profiles.", nameof(pool));

    /// <summary>The cache of a pool's nodes: the cluster's, with what the pool says of its own.</summary>
    public CacheSpec CacheOf(PoolSpec pool) => Cache with
    {
        MemoryBytes = pool.Cache.MemoryBytes ?? Cache.MemoryBytes,
        DiskBytes = pool.Cache.DiskBytes ?? Cache.DiskBytes,
        DiskPath = pool.Cache.DiskPath ?? Cache.DiskPath,
    };

    /// <summary>Tokens of one KV block of a pool: its own, else its accelerator's.</summary>
    public int BlockTokensOf(PoolSpec pool) => pool.BlockTokens ?? ProfileOf(pool).BlockTokens;

    /// <summary>Port of a node's OpenAI API.</summary>
    public static int PortOf(PoolSpec pool, NodeSpec node) => node.Port ?? pool.Port;

    /// <summary>Accelerators that a node's engine sees.</summary>
    public static IReadOnlyList<int> DevicesOf(PoolSpec pool, NodeSpec node) => node.Devices ?? pool.Devices ?? [.. Enumerable.Range(0, pool.TensorParallel)];
}
