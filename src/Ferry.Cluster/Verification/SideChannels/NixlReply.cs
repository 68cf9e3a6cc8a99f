namespace Ferry.Cluster.Verification.SideChannels;

/// <summary>What an engine tells of itself in NIXL's handshake.</summary>
/// <param name="Problem">Empty: it answered.</param>
/// <param name="CompatibilityHash">Empty before vLLM 0.13.</param>
/// <param name="BlockTokens">Of its kernel, 0 when not said.</param>
/// <param name="Regions">Registered regions: one or two a layer.</param>
internal sealed record NixlReply(string Problem, string CompatibilityHash, string EngineId, string Layout, string AttentionBackend, long BlockTokens, long BlockCount, int Regions)
{
    public static NixlReply Failed(string problem) => new(problem, "", "", "", "", 0, 0, 0);
}
