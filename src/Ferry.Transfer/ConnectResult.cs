namespace Ferry.Transfer;

/// <param name="Peer">Null unless <paramref name="Outcome"/> is a success.</param>
public readonly record struct ConnectResult(ITransferPeer? Peer, TransferOutcome Outcome);
