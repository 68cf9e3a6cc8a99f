namespace Ferry.Transfer.Handover;

/// <param name="Ticket">Null unless <paramref name="Outcome"/> is a success.</param>
public readonly record struct HandoverTicketResult(TransferOutcome Outcome, HandoverTicket? Ticket);
