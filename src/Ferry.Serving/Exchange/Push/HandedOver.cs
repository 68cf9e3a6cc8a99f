using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange.Push;

/// <summary>What a decode node tells the prefill node of a hand-over, so that it can choose the mode of the next ones.</summary>
/// <param name="Bytes">Payload bytes that came from the prefill node.</param>
/// <param name="Time">What the request waited for them.</param>
/// <param name="Medium">That carries bytes between the two; 1 to 32 bytes of ASCII.</param>
internal sealed record HandedOver(HandoverMode Mode, long Bytes, TimeSpan Time, string Medium);
