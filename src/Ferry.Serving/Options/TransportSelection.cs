namespace Ferry.Serving.Options;

/// <summary>What a UCX_TLS value selects among Ferry's own transports.</summary>
/// <param name="Value">As given; null when unset.</param>
/// <param name="Selected">Ferry transports that may be used, best first.</param>
/// <param name="Unavailable">Names that UCX knows and this build does not have.</param>
/// <param name="Reason">One line for the startup report.</param>
public sealed record TransportSelection(string? Value, IReadOnlyList<string> Selected, IReadOnlyList<string> Unavailable, string Reason);
