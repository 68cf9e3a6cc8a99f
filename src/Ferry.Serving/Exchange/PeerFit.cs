using Ferry.Transfer.SideChannel;

namespace Ferry.Serving.Exchange;

/// <summary>Whether a peer's records mean the same here as there.</summary>
internal static class PeerFit
{
    /// <summary>Why not; null when they do.</summary>
    public static string? FindFault(KvDescription peer, KvExchangeOptions own, string keyAlgorithm) =>
        peer.Model == own.Model && peer.ChunkTokens == own.ChunkTokens && peer.KeyAlgorithm == keyAlgorithm
            ? null
            : $"peer keeps other KV: model {peer.Model:x32}, chunks of {peer.ChunkTokens} tokens, keys by {peer.KeyAlgorithm}; " +
                $"here model {own.Model:x32}, chunks of {own.ChunkTokens}, keys by {keyAlgorithm}";
}
