using System.Text;
using Ferry.Cache;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Remote;
using Ferry.Kv.Hashing;
using Ferry.Serving.Options;
using Ferry.Transfer;

namespace Ferry.Serving.Exchange;

/// <summary>How a node's exchange keeps, lends and fetches KV.</summary>
public sealed record KvExchangeOptions
{
    /// <summary>
    /// Every role keeps prompts in memory, lends what a request asks for (<c>do_remote_decode</c>) and fetches what a request names
    /// (<c>do_remote_prefill</c>): as in vLLM's NIXL connector the request says the direction. The role decides who writes to the shared tier: a consumer
    /// never does (LMCache's meaning of kv_consumer). Unlike LMCache, a producer also reads it, so that a fresh prefill node finds what others computed.
    /// </summary>
    public KvRole Role { get; init; } = KvRole.Both;

    /// <summary>Name of this node in <c>kv_transfer_params</c>; 1 to 256 UTF-8 bytes.</summary>
    public required string EngineId { get; init; }

    /// <summary>Fingerprint of the model whose KV this node computes.</summary>
    public required UInt128 Model { get; init; }

    /// <summary>Tokens of one chunk; a multiple of the pool's block.</summary>
    public int ChunkTokens { get; init; } = 256;

    public string HashAlgorithm { get; init; } = ChunkHasher.DefaultAlgorithm;

    public string HashSeed { get; init; } = ChunkHasher.DefaultHashSeed;

    /// <summary>Exact cap of the memory tier of this node, all ranks together.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>False: memory stages what is on its way, and no request is answered from it.</summary>
    public bool KeepInMemory { get; init; } = true;

    /// <summary>LMCache's <c>cache_policy</c>.</summary>
    public string Policy { get; init; } = EvictionPolicies.Default;

    /// <summary>For example <c>file:///mnt/cephfs/kv</c>; null for none.</summary>
    public string? SharedUrl { get; init; }

    /// <summary>What else is said of the shared tier; its cap is <see cref="SharedBytes"/>.</summary>
    public RemoteTierOptions SharedOptions { get; init; } = new();

    /// <summary>Limit of the shared tier, whoever wrote to it; null for none.</summary>
    public long? SharedBytes { get; init; }

    /// <summary>Whether the unfull last chunk of a prompt is kept and written to the shared tier too. A hand-over always carries it.</summary>
    public bool SaveUnfullChunk { get; init; }

    /// <summary>Whether full chunks that end in generated tokens are kept and written to the shared tier too, for the next turn of a conversation. An unfull one of them never is.</summary>
    public bool SaveDecodeCache { get; init; }

    /// <summary>vLLM's <c>kv_lease_duration</c>: how long a finished prefill's KV is held for the decode node.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait for a peer and the shared tier together before the engine computes instead.</summary>
    public TimeSpan LoadDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Requests that load at one time; the others wait within their deadline.</summary>
    public int LoadsMax { get; init; } = 32;

    /// <summary>Chunks that one request reads from the shared tier at one time.</summary>
    public int TierReadsPerLoad { get; init; } = 4;

    /// <summary>Bytes asked of a peer in one read. What came before a peer died is kept by whole reads; 32 MiB is a few chunks of a large model.</summary>
    public long PeerReadBytes { get; init; } = 32 << 20;

    /// <summary>Peers connected at one time; the one idle longest is closed for another.</summary>
    public int PeersMax { get; init; } = 64;

    /// <summary>How this node hands its prefills over. What is pushed can always be pulled as well; a node whose mode is pull takes no pushes.</summary>
    public HandoverMode Handover { get; init; } = HandoverMode.Pull;

    /// <summary>Requests pushed at one time; those beyond are pulled.</summary>
    public int PushesMax { get; init; } = 256;

    /// <summary>Chunks of one request that wait to be pushed; with one more the rest is pulled. 4096 are a million tokens.</summary>
    public int PushQueueMax { get; init; } = 4096;

    /// <summary>Requests whose pushes this node takes, until it has had their KV and a lease's time longer; those beyond are pulled.</summary>
    public int PushRequestsMax { get; init; } = 65_536;

    /// <summary>Whether peers may push to this node.</summary>
    internal bool TakesPushes => Handover != HandoverMode.Pull;

    /// <summary>Of the memory, what may be prepared for pushes or wait for its request: half, so that a pull always finds room.</summary>
    internal long PushBytesMax => MemoryBytes / 2;

    /// <summary>How long room waits for its bytes, unless the writer asks for more: a load that waits for them in vain has half its time left to read them.</summary>
    internal TimeSpan PushLease => LeaseDuration < LoadDeadline / 2 ? LeaseDuration : LoadDeadline / 2;

    /// <summary>Whether the checksum of a record in memory is proved before it is used. Off saves about a tenth of the load and trusts the machine's memory.</summary>
    public bool VerifyMemory { get; init; } = true;

    /// <summary>Requests whose report is kept until <see cref="IKvReports.Forget"/>; the oldest goes first.</summary>
    public int ReportsMax { get; init; } = 4096;

    /// <summary>Where peers dial this node.</summary>
    public string AdvertisedHost { get; init; } = "localhost";

    public int AdvertisedPort { get; init; } = 5600;

    /// <summary>Bounds of the tiers below memory.</summary>
    public RecordCacheOptions TierBounds { get; init; } = new();

    /// <summary>Whether the memory tier lies in memory that processes of this host can map: readers by shared memory then copy it themselves, which costs less than having the kernel do it.</summary>
    public bool SharesMemory { get; init; }

    /// <summary>The settings of <c>ferry serve</c>.</summary>
    /// <param name="engineId">Taken when the user named none.</param>
    public static KvExchangeOptions From(ExchangeSettings settings, UInt128 model, string engineId) => new()
    {
        Role = settings.Role,
        EngineId = settings.EngineId ?? engineId,
        Model = model,
        ChunkTokens = settings.ChunkTokens,
        HashAlgorithm = settings.HashAlgorithm,
        HashSeed = settings.HashSeed,
        MemoryBytes = settings.MemoryTierBytes,
        KeepInMemory = settings.KeepInMemory,
        Policy = settings.Policy,
        TierBounds = new RecordCacheOptions { LoadOnlyIfCheaper = !settings.LoadsAlways },
        SharedUrl = settings.Shared?.Url,
        SharedOptions = settings.Shared?.Options ?? new RemoteTierOptions(),
        SaveUnfullChunk = settings.SaveUnfullChunk,
        SaveDecodeCache = settings.SaveDecodeCache,
        LeaseDuration = settings.LeaseDuration,
        Handover = settings.Handover,
        LoadDeadline = settings.LoadTimeout,
        AdvertisedHost = settings.SideChannelHost,
        AdvertisedPort = settings.SideChannelPort,
    };

    /// <summary>Every error at once, each with name, value, limit and way out; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Require(Encoding.UTF8.GetByteCount(EngineId) is >= 1 and <= AgentIdentity.EngineIdBytesMax,
            $"exchange.engineId has {Encoding.UTF8.GetByteCount(EngineId)} bytes; it must have 1 to {AgentIdentity.EngineIdBytesMax}.");
        Require(ChunkTokens is >= 1 and <= 65_536, $"exchange.chunkTokens is {ChunkTokens}; it must lie in 1..65536 (256 is usual).");
        errors.AddRange(new KvArenaOptions { CapacityBytes = MemoryBytes }.Validate());
        Require(EvictionPolicies.Names.Contains(Policy, StringComparer.OrdinalIgnoreCase),
            $"exchange.policy is \"{Policy}\"; it must be one of: {string.Join(", ", EvictionPolicies.Names)}.");
        if (SharedUrl is not null && RemoteTiers.Validate(SharedUrl, SharedOptions) is var sharedErrors)
        {
            errors.AddRange(sharedErrors);
        }
        Require(SharedBytes is not < 1, $"exchange.sharedBytes is {SharedBytes}; it must be at least 1. Leave it out for no limit.");
        Require(LeaseDuration > TimeSpan.Zero && LeaseDuration <= TimeSpan.FromDays(1), $"exchange.leaseDuration is {LeaseDuration}; it must lie in (0, 1 day].");
        Require(LoadDeadline > TimeSpan.Zero && LoadDeadline <= TimeSpan.FromHours(1), $"exchange.loadDeadline is {LoadDeadline}; it must lie in (0, 1 hour].");
        Require(LoadsMax is >= 1 and <= 4096, $"exchange.loadsMax is {LoadsMax}; it must lie in 1..4096.");
        Require(TierReadsPerLoad is >= 1 and <= 256, $"exchange.tierReadsPerLoad is {TierReadsPerLoad}; it must lie in 1..256.");
        Require(PeerReadBytes >= 1, $"exchange.peerReadBytes is {PeerReadBytes}; it must be at least 1.");
        Require(Enum.IsDefined(Handover), $"exchange.handover is {(int)Handover}; it must be one of: {string.Join(", ", HandoverModes.Names)}.");
        Require(PushesMax is >= 1 and <= 65_536, $"exchange.pushesMax is {PushesMax}; it must lie in 1..65536.");
        Require(PushQueueMax is >= 1 and <= 1_000_000, $"exchange.pushQueueMax is {PushQueueMax}; it must lie in 1..1000000.");
        Require(PushRequestsMax is >= 1 and <= 1_000_000, $"exchange.pushRequestsMax is {PushRequestsMax}; it must lie in 1..1000000.");
        Require(PeersMax is >= 1 and <= 4096, $"exchange.peersMax is {PeersMax}; it must lie in 1..4096.");
        Require(ReportsMax is >= 1 and <= 1_000_000, $"exchange.reportsMax is {ReportsMax}; it must lie in 1..1000000.");
        Require(AdvertisedHost.Length is >= 1 and <= 253, $"exchange.advertisedHost has {AdvertisedHost.Length} characters; a host name has 1 to 253.");
        Require(AdvertisedPort is >= 0 and <= 65_535, $"exchange.advertisedPort is {AdvertisedPort}; it must lie in 0..65535.");
        try
        {
            ChunkHasher.Create(HashAlgorithm, HashSeed);
        }
        catch (ChunkHashException unusable)
        {
            errors.Add($"exchange.hashAlgorithm: {unusable.Message}");
        }
        return errors;

        void Require(bool holds, string otherwise)
        {
            if (!holds)
            {
                errors.Add(otherwise);
            }
        }
    }
}
