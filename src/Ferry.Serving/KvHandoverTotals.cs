using Ferry.Serving.Options;

namespace Ferry.Serving;

/// <summary>Hand-overs of one prefill node to this one, by one mode, since the start.</summary>
/// <param name="Peer">Engine id of the prefill node; "other" stands for those beyond the first of a bounded number.</param>
/// <param name="Mode">The one that the prefill node chose; what was not pushed in time was pulled.</param>
/// <param name="Bytes">Payload bytes that came from the peer.</param>
/// <param name="Time">What the requests waited for them at this node.</param>
public sealed record KvHandoverTotals(string Peer, HandoverMode Mode, long Count, long Bytes, TimeSpan Time);
