namespace Ferry.Transfer.Nixl;

/// <summary>A message from one agent to another, sent beside the data or behind it.</summary>
/// <param name="AgentName">Of the sender.</param>
/// <param name="Message">Of the two owners' own form; vLLM's are UTF-8 or MessagePack.</param>
public sealed record NixlNotification(string AgentName, ReadOnlyMemory<byte> Message);
