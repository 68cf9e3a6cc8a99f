using Ferry.Router.Discovery;
using Ferry.Router.Forwarding;

namespace Ferry.Router;

/// <summary>What a router was asked to do. Immutable; each setting stands in a table of Configuration, see <see cref="RouterOptionsValidator"/>.</summary>
public sealed record RouterOptions
{
    public IReadOnlyList<NodeSpec> Prefill { get; init; } = [];

    public IReadOnlyList<NodeSpec> Decode { get; init; } = [];

    public string Host { get; init; } = "0.0.0.0";

    /// <summary>0: any free port.</summary>
    public int Port { get; init; } = 9000;

    /// <summary>How a node is chosen; see <see cref="Policies.NodePolicies"/>.</summary>
    public string Policy { get; init; } = "round-robin";

    /// <summary>How a decode node is chosen; empty: as <see cref="Policy"/>.</summary>
    public string DecodePolicy { get; init; } = "";

    /// <summary>Requests in both legs together; others queue.</summary>
    public int MaxInFlight { get; init; } = 4096;

    public long MaxBodyBytes { get; init; } = 64L << 20;

    /// <summary>Bounds and rules of the two legs.</summary>
    public ForwardingOptions Forwarding { get; init; } = new();

    public TimeSpan HealthTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What a running or waiting leg counts in tokens, when loads are compared.</summary>
    public int RequestTokens { get; init; } = 256;

    /// <summary>Prefix-aware: how many tokens of prefix one token of load outweighs.</summary>
    public double LoadFactor { get; init; } = 1;

    public double HostTierWeight { get; init; } = 0.75;

    public double StorageTierWeight { get; init; } = 0.25;

    /// <summary>Cost-based: KV bytes of one token over all layers and ranks.</summary>
    public long KvBytesPerToken { get; init; } = 320 << 10;

    /// <summary>Cost-based: bytes a second between a prefill and a decode node, until transfers were measured.</summary>
    public long LinkBytesPerSecond { get; init; } = 1L << 30;

    /// <summary>Cost-based: prompt tokens a second of a node, until legs were measured.</summary>
    public int PrefillTokensPerSecond { get; init; } = 8000;

    /// <summary>Prompts that leave the decode node fewer tokens than this to compute skip the first leg.</summary>
    public int MinPrefillTokens { get; init; }

    /// <summary>Prompts of which the decode node holds this share or more skip the first leg.</summary>
    public double MaxDecodeHit { get; init; } = 1;

    public long IndexBytes { get; init; } = 256L << 20;

    /// <summary>Most nodes that the index tells apart.</summary>
    public int IndexNodes { get; init; } = 128;

    /// <summary>Text prompts are hashed in pieces of this length.</summary>
    public int TextBlockBytes { get; init; } = 256;

    /// <summary>Prompts of token ids are hashed in pieces of this length, except for nodes whose events name another.</summary>
    public int BlockTokens { get; init; } = 16;

    /// <summary>How long a node without KV events is believed to keep what it computed.</summary>
    public TimeSpan HistoryLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a node with KV events is believed to be computing what was sent there, until its events say so.</summary>
    public TimeSpan PredictionLifetime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Port of KV events at every node; 0: only nodes that name an endpoint have events.</summary>
    public int EventsPort { get; init; }

    public int ReplayPort { get; init; }

    public string EventsTopic { get; init; } = "";

    /// <summary>host:port of the Redis through which routers share their index; empty: each has its own.</summary>
    public string Redis { get; init; } = "";

    public string RedisKey { get; init; } = "ferry:prefix";

    /// <summary>A file with the password of Redis; empty: none.</summary>
    public string RedisPasswordFile { get; init; } = "";

    public TimeSpan HealthInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Probes in a row that must fail before a node gets nothing more.</summary>
    public int UnhealthyAfter { get; init; } = 2;

    /// <summary>Probes in a row that must succeed before it gets something again.</summary>
    public int HealthyAfter { get; init; } = 2;

    /// <summary>Whether the probe also reads the node's /metrics for its running and waiting requests.</summary>
    public bool ReadsNodeMetrics { get; init; } = true;

    /// <summary>Port of the NIXL side channel at every prefill node, which the probe then asks, too; 0: not asked.</summary>
    public int SideChannelPort { get; init; }

    /// <summary>Legs in a row that a node must fail before it is left out.</summary>
    public int EjectAfter { get; init; } = 3;

    /// <summary>Share of failed legs, of the last hundred or so, from which a node is left out.</summary>
    public double EjectErrorRate { get; init; } = 0.5;

    /// <summary>First time a node is left out; doubles each time, up to ten times that.</summary>
    public TimeSpan EjectTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A node that comes (back) takes this long to its full share.</summary>
    public TimeSpan SlowStart { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Transfers in a row that a pair must fail before it is left out.</summary>
    public int PairFailures { get; init; } = 3;

    public TimeSpan PairOpenTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a prefill node holds KV that nobody fetches (vLLM's kv_lease_duration): a drain waits for it.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(30);

    public int MaxQueue { get; init; } = 4096;

    public int MaxQueuePerTenant { get; init; } = 1024;

    public TimeSpan QueueTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How far one step of priority moves a request forward in the queue, in tokens.</summary>
    public int PriorityTokens { get; init; } = 4096;

    public string NodesFile { get; init; } = "";

    public TimeSpan DiscoveryInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>host:port whose addresses are prefill nodes; empty: none.</summary>
    public string PrefillDns { get; init; } = "";

    public string DecodeDns { get; init; } = "";

    /// <summary>Service whose EndpointSlices are prefill nodes; empty: none.</summary>
    public string PrefillService { get; init; } = "";

    public string DecodeService { get; init; } = "";

    public string KubernetesNamespace { get; init; } = "";

    /// <summary>Name of the slices' port; empty: their first.</summary>
    public string KubernetesPort { get; init; } = "";

    /// <summary>ipv4 or ipv6: which address of a pod that has both is taken.</summary>
    public string KubernetesAddressFamily { get; init; } = "ipv4";

    /// <summary>URL of the API server; empty: the pod's own service account.</summary>
    public string KubernetesApi { get; init; } = "";

    public string AdminHost { get; init; } = "127.0.0.1";

    /// <summary>0: any free port; -1: no admin server.</summary>
    public int AdminPort { get; init; }

    /// <summary>A file with the token that admin requests carry; needed when <see cref="AdminHost"/> is not loopback.</summary>
    public string AdminTokenFile { get; init; } = "";

    /// <summary>Longest time that a drain request waits for its answer.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A file with hashed API keys; empty: no keys are asked for.</summary>
    public string ApiKeysFile { get; init; } = "";
}
