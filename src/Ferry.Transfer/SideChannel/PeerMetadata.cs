namespace Ferry.Transfer.SideChannel;

/// <summary>What both sides tell each other in the handshake.</summary>
public sealed record PeerMetadata(AgentIdentity Identity, KvDescription Kv, IReadOnlyList<MediumAddress> Media);
