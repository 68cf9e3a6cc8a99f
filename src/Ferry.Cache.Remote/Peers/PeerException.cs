namespace Ferry.Cache.Remote.Peers;

/// <summary>A peer did not answer, or not as an exchange does. The message names no secret.</summary>
public sealed class PeerException(string message) : IOException(message);
