namespace Ferry.Cli.Commands.Transport;

/// <summary>What <c>ferry transport check</c> was asked.</summary>
/// <param name="Other">A second node whose KV must fit the first one's, or null.</param>
/// <param name="FloorGigabytesPerSecond">The least rate that is good enough.</param>
internal sealed record CheckQuestion(string Peer, string? Other, double FloorGigabytesPerSecond, TimeSpan Duration, NodeCredentials Credentials);
