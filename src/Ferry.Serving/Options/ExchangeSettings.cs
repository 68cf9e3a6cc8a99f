using Ferry.Cache.Eviction;
using Ferry.Cache.Remote.Settings;
using Ferry.Transfer.Tls;

namespace Ferry.Serving.Options;

/// <summary>What the user asked of the exchange: kv-transfer-config, LMCACHE_*, the side channel and UCX_TLS together.</summary>
public sealed record ExchangeSettings
{
    public required KvRole Role { get; init; }

    /// <summary>As named by the user; every one of them is Ferry's exchange here.</summary>
    public required string ConnectorName { get; init; }

    /// <summary>Null: a new one each start.</summary>
    public string? EngineId { get; init; }

    /// <summary>Tokens of one chunk.</summary>
    public int ChunkTokens { get; init; } = 256;

    /// <summary>Chain hash of the chunks, by LMCache's name.</summary>
    public string HashAlgorithm { get; init; } = "sha256_cbor";

    /// <summary>Root of the chain; equal on all nodes that share KV.</summary>
    public string HashSeed { get; init; } = "0";

    /// <summary>Cap of the memory tier of this node, all ranks together.</summary>
    public long MemoryTierBytes { get; init; } = 1L << 30;

    /// <summary>False: memory only stages what is on its way; nothing is kept for later requests.</summary>
    public bool KeepInMemory { get; init; } = true;

    /// <summary>The disk tier of this node, or null.</summary>
    public DiskSettings? Disk { get; init; }

    /// <summary>Which chunk goes first when a tier is full.</summary>
    public string Policy { get; init; } = EvictionPolicies.Default;

    /// <summary>The shared tier, or null.</summary>
    public RemoteTierSettings? Shared { get; init; }

    /// <summary>Whether KV of generated tokens is kept too.</summary>
    public bool SaveDecodeCache { get; init; }

    /// <summary>Whether the unfull last chunk of a prompt goes to the shared tier as well.</summary>
    public bool SaveUnfullChunk { get; init; }

    /// <summary>False: a chunk is loaded only where that is faster than computing it.</summary>
    public bool LoadsAlways { get; init; }

    /// <summary>Address of this node that peers dial.</summary>
    public string SideChannelHost { get; init; } = "localhost";

    public int SideChannelPort { get; init; } = 5600;

    /// <summary>Proved by both ends of every connection between nodes; needed unless the side channel is loopback.</summary>
    public string? SharedSecret { get; init; }

    /// <summary>Where KV events are published; null for nowhere.</summary>
    public Events.KvEventsOptions? Events { get; init; }

    /// <summary>Files of mutual TLS between nodes; null for none.</summary>
    public TlsFiles? Tls { get; init; }

    public required TransportSelection Transports { get; init; }

    /// <summary>How long KV of a finished prefill is held for the decode node.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How prefills are handed over, and whether pushes are taken.</summary>
    public HandoverMode Handover { get; init; } = HandoverMode.Pull;

    /// <summary>Longest wait for a shared tier or a peer before the engine computes instead.</summary>
    public TimeSpan LoadTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
