using Ferry.Cache.Eviction;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Remote.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>One exchange of <c>ferry cache</c>, checked. Immutable.</summary>
public sealed record ExchangeOptions
{
    /// <summary>Null: no RESP front.</summary>
    public ListenAddress? Resp { get; init; }

    /// <summary>Null: no <c>lm://</c> front.</summary>
    public ListenAddress? Lm { get; init; }

    public FrontSecurity Security { get; init; } = new();

    /// <summary>Whether FLUSHDB may drop everything.</summary>
    public bool AllowFlush { get; init; }

    /// <summary>Connections of each front at one time.</summary>
    public int ConnectionsMax { get; init; } = 1024;

    /// <summary>Where metrics, state and administration are served; null: nowhere.</summary>
    public ListenAddress? Admin { get; init; }

    /// <summary>What administration asks for as bearer token; null only on loopback.</summary>
    public string? AdminToken { get; init; }

    /// <summary>Exact cap of the memory tier.</summary>
    public required long MemoryBytes { get; init; }

    public bool TryHugePages { get; init; } = true;

    public string Policy { get; init; } = EvictionPolicies.Default;

    /// <summary>Null: no disk tier.</summary>
    public DiskSettings? Disk { get; init; }

    /// <summary>Exchanges that are asked for what memory and disk lack, before the remote tier.</summary>
    public IReadOnlyList<PeerTierOptions> Peers { get; init; } = [];

    /// <summary>Null: no remote tier.</summary>
    public RemoteTierSettings? Remote { get; init; }

    /// <summary>Tokens of a chunk of the clients.</summary>
    public int ChunkTokens { get; init; } = 256;

    /// <summary>The shapes of the clients' models.</summary>
    public ModelCards Models { get; init; } = ModelCards.None;

    /// <summary>How the clients' values are kept.</summary>
    public ClientStoreOptions Clients { get; init; } = new();

    /// <summary>Bytes of memory that the records of a salt may take.</summary>
    public IReadOnlyDictionary<string, long> Quotas { get; init; } = new Dictionary<string, long>();

    /// <summary>For one operation of a tier.</summary>
    public TimeSpan TierDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Records that wait for a tier, at most, in bytes.</summary>
    public long WriteQueueBytes { get; init; } = 1L << 30;

    /// <summary>Record bytes that are brought up ahead of who looked them up; 0 for none.</summary>
    public long PrefetchBytes { get; init; } = 256L << 20;

    /// <summary>How long a stop waits for clients and for what is queued.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(20);
}
