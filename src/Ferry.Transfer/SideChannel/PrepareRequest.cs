namespace Ferry.Transfer.SideChannel;

/// <summary>Asks a peer to reserve room for records and to let the asker write them there.</summary>
/// <param name="RequestId">The request that they belong to, as the peer will know it; may be empty.</param>
/// <param name="Salt">Keeps tenants apart; of all pieces.</param>
/// <param name="Model">Fingerprint; of all pieces.</param>
/// <param name="Pieces">One for each record to come.</param>
public sealed record PrepareRequest(string RequestId, string Salt, UInt128 Model, IReadOnlyList<PreparedPiece> Pieces);
