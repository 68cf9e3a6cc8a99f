namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>The answer of a handshake: the second part is looked at only when the first agrees.</summary>
/// <param name="CompatibilityHash">See <see cref="CompatibilityFactors.Hash"/>; empty from versions before 1, which sent the metadata bare.</param>
/// <param name="AgentMetadata">A <see cref="VllmAgentMetadata"/>, encoded.</param>
public sealed record HandshakePayload(string CompatibilityHash, ReadOnlyMemory<byte> AgentMetadata);
