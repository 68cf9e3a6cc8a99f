namespace Ferry.Transfer.Media;

/// <param name="Memory">The way into the peer's memory; the caller owns it. Null if there is none.</param>
/// <param name="Reason">For people: how it goes, or why it does not.</param>
internal readonly record struct MediumOpening(RemoteMemory? Memory, string Reason);
