namespace Ferry.Benchmarks.Handover;

/// <summary>One hand-over.</summary>
/// <param name="Waited">From the end of the prefill, when the decode node asks, until all KV is in its memory and proved.</param>
/// <param name="Prefilled">What the prefill took, saving included.</param>
/// <param name="CpuTime">Of both nodes, prefill included.</param>
/// <param name="PushedBytes">Of records, headers included.</param>
/// <param name="EarlyBytes">Of <paramref name="PushedBytes"/>, layers that were there before their chunk was computed.</param>
/// <param name="HandedBytes">Payload that came from the prefill node, pushed or pulled.</param>
internal sealed record PushSample(TimeSpan Waited, TimeSpan Prefilled, TimeSpan CpuTime, long PushedBytes, long EarlyBytes, long HandedBytes);
