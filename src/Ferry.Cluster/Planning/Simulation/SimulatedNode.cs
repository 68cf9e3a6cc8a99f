using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>One node while a simulation runs: a queue of prefills, a batch that decodes, its two directions of network, its caches.</summary>
internal sealed class SimulatedNode(int index, int pool, NodeModel model, NodeCaches caches, double linkBytesPerSecond)
{
    public int Index { get; } = index;

    /// <summary>Index of its pool.</summary>
    public int Pool { get; } = pool;

    public NodeModel Model { get; } = model;

    public PoolRole Role { get; } = model.Pool.Role;

    public NodeCaches Caches { get; } = caches;

    public Queue<int> Prefills { get; } = new();

    public bool IsPrefilling { get; set; }

    public int CurrentPrefill { get; set; }

    /// <summary>Tokens of prompts that wait or are being computed here.</summary>
    public long PendingTokens { get; set; }

    public double PrefillBusySeconds { get; set; }

    public double LoadSeconds { get; set; }

    public FairShare Outgoing { get; } = new(linkBytesPerSecond);

    public FairShare Incoming { get; } = new(linkBytesPerSecond);

    public DecodeBatch Batch { get; } = new(model);

    public Queue<int> Waiting { get; } = new();

    /// <summary>Tokens that running sequences have or will have.</summary>
    public long KvTokensUsed { get; set; }

    /// <summary>Tokens that running, waiting and arriving sequences have or will have.</summary>
    public long KvTokensPromised { get; set; }
}
