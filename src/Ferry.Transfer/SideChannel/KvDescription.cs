namespace Ferry.Transfer.SideChannel;

/// <summary>What KV an agent's owner holds, as told in the handshake. Transfer carries it unread: the exchanges decide whether they fit.</summary>
/// <param name="Model">Fingerprint of weights and shape.</param>
/// <param name="ChunkTokens">Tokens of one chunk.</param>
/// <param name="KeyAlgorithm">How chunk hashes are made, seed included: hashes of unlike algorithms never match, silently.</param>
/// <param name="RankLayouts">The KvLayout text of each tensor-parallel rank, rank 0 first.</param>
public sealed record KvDescription(UInt128 Model, int ChunkTokens, string KeyAlgorithm, IReadOnlyList<string> RankLayouts)
{
    /// <summary>Far above any tensor-parallel size in use.</summary>
    public const int RankCountMax = 1024;

    /// <summary>An agent that only reads and has nothing to describe.</summary>
    public static KvDescription None { get; } = new(0, 0, string.Empty, []);
}
