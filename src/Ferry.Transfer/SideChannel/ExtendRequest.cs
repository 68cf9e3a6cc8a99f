namespace Ferry.Transfer.SideChannel;

/// <summary>A heartbeat for what a reader still wants.</summary>
/// <param name="Duration">Wanted from now on; the owner may give less.</param>
public sealed record ExtendRequest(IReadOnlyList<LeaseHold> Holds, TimeSpan Duration);
