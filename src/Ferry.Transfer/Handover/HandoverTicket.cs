namespace Ferry.Transfer.Handover;

/// <summary>What an owner tells of a request: where its KV lies, and until when. The layouts came with the handshake.</summary>
/// <param name="Generation">The owner's run.</param>
/// <param name="Tokens">Tokens whose KV is there; the last block may be partly filled.</param>
/// <param name="LeaseLeft">From the moment of the answer.</param>
/// <param name="PackBytesMax">The most that the owner packs in one go; 0: it packs nothing.</param>
/// <param name="Ranks">Rank 0 first.</param>
public sealed record HandoverTicket(ulong Generation, int Tokens, TimeSpan LeaseLeft, int PackBytesMax, IReadOnlyList<HandoverRank> Ranks);
