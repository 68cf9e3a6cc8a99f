namespace Ferry.Cluster.Lint.Vllm;

/// <summary>The connectors that vLLM registers (vllm/distributed/kv_transfer/kv_connector/factory.py), and those that it once did.</summary>
internal static class VllmConnectors
{
    public const string RocmOnly = "MoRIIOConnector";

    public static IReadOnlyList<string> Registered { get; } =
    [
        "ExampleConnector", "ExampleHiddenStatesConnector", "LMCacheConnectorV1", "LMCacheMPConnector", "NixlConnector", "NixlPullConnector",
        "NixlPushConnector", "MultiConnector", RocmOnly, "OffloadingConnector", "SimpleCPUOffloadConnector", "DecodeBenchConnector",
        "MooncakeConnector", "MooncakeStoreConnector", "FlexKVConnectorV1", "HF3FSKVConnector",
    ];

    /// <summary>What became of the others, and what to use.</summary>
    public static IReadOnlyDictionary<string, (string Fate, string? Use)> Gone { get; } = new Dictionary<string, (string, string?)>(StringComparer.Ordinal)
    {
        ["PyNcclConnector"] = ("was removed in September 2025", "NixlConnector"),
        ["P2pNcclConnector"] = ("was removed in June 2026", "NixlConnector"),
        ["SharedStorageConnector"] = ("was renamed ExampleConnector", "ExampleConnector"),
        ["LMCacheConnector"] = ("went with the V0 engine", "LMCacheConnectorV1"),
        ["MooncakeStoreConnectorV0"] = ("went with the V0 engine", "MooncakeStoreConnector"),
    };

    public static bool IsNixl(string connector) => connector is "NixlConnector" or "NixlPullConnector" or "NixlPushConnector";
}
