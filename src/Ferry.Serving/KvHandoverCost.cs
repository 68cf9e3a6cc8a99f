using Ferry.Serving.Options;

namespace Ferry.Serving;

/// <summary>What a prefill node with mode auto has measured of one mode to one decode node.</summary>
/// <param name="Medium">That carries the bytes; empty before the first measurement.</param>
/// <param name="Choices">How often the mode was taken.</param>
/// <param name="Samples">How often the decode node said what it took.</param>
public sealed record KvHandoverCost(string Peer, string Medium, HandoverMode Mode, long Choices, long Samples, double FixedSeconds, double SecondsPerByte);
