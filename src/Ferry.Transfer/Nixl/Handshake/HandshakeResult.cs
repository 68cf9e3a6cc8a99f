namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>What a handshake brought.</summary>
/// <param name="Metadata">Null unless <paramref name="Outcome"/> is a success.</param>
/// <param name="CompatibilityHash">The peer's.</param>
/// <param name="ClockOffset">The peer's clock less the own, if it told it: good to half the time of the round.</param>
public sealed record HandshakeResult(TransferOutcome Outcome, VllmAgentMetadata? Metadata, string CompatibilityHash, TimeSpan? ClockOffset);
