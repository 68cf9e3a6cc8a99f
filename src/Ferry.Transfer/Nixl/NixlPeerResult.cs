namespace Ferry.Transfer.Nixl;

/// <param name="Peer">Null unless <paramref name="Outcome"/> is a success.</param>
public readonly record struct NixlPeerResult(TransferOutcome Outcome, NixlPeer? Peer);
