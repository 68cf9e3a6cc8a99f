namespace Ferry.Transfer.SideChannel;

/// <param name="Payload">Of the reply; empty unless <paramref name="Outcome"/> is a success.</param>
internal readonly record struct CallReply(TransferOutcome Outcome, byte[] Payload);
