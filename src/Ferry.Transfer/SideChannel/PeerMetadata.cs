namespace Ferry.Transfer.SideChannel;

/// <summary>What both sides tell each other in the handshake.</summary>
/// <param name="Heartbeat">How often the teller pings those it has connected to: what lets them tell silence from death.</param>
public sealed record PeerMetadata(AgentIdentity Identity, KvDescription Kv, IReadOnlyList<MediumAddress> Media, TimeSpan Heartbeat = default);
