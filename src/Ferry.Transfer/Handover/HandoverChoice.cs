namespace Ferry.Transfer.Handover;

/// <summary>The route of one hand-over, and why.</summary>
/// <param name="Reason">For people, with the numbers that decided.</param>
internal sealed record HandoverChoice(HandoverRoute Route, string Reason, IHandoverRoute Way);
