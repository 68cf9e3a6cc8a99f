namespace Ferry.Cluster.Spec;

/// <summary>How KV gets from a prefill node to a decode node.</summary>
public enum HandoverKind
{
    [SpecName("ferry", "through the exchanges (ferry cache) of the nodes, which read from each other: vLLM with LMCacheConnectorV1; works between vendors")]
    Ferry,

    [SpecName("nixl", "vLLM's NixlConnector; between equal vendors")]
    Nixl,

    [SpecName("lmcache-pd", "LMCache's own prefill/decode mode over NIXL; between equal vendors and equal tensorParallel")]
    LmcachePd,
}
