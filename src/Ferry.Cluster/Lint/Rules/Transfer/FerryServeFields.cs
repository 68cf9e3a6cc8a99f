using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>What ferry serve reads in kv_connector_extra_config. A test compares it with ferry serve's own table.</summary>
internal static class FerryServeFields
{
    public const string HandoverMode = "handover_mode";

    /// <summary>What ferry serve does where nothing is said.</summary>
    public const string DefaultMode = "pull";

    public static IReadOnlyList<string> ExtraNames { get; } =
    [
        "kv_lease_duration", HandoverMode, "connectors", "enforce_handshake_compat", "backends", "num_threads", "engine_ttl", "enable_cross_layers_blocks", "bidirectional_kv_xfer",
        "decoder_kv_blocks_ttl", "kv_recompute_threshold", "push_registration_timeout", "agreed_block_size", "discard_partial_chunks", "skip_last_n_tokens", "lmcache_rpc_port", "use_native",
        "shared_storage_path",
    ];

    public static IReadOnlyList<string> Modes { get; } = ["pull", "push", "push-layerwise", "auto"];

    /// <summary>The hand-over mode as it is written; null where it is not.</summary>
    public static DataNode? HandoverModeOf(ObservedProcess engine) => engine.FerryTransfer?.Extra?.Find(HandoverMode);
}
