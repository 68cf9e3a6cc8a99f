using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Serving.Exchange;

/// <summary>A chunk that a request wants loaded.</summary>
/// <param name="Targets">This node's layout of the chunk, rank 0 first.</param>
internal sealed record WantedChunk(KvKey Key, int FirstToken, int TokenCount, IReadOnlyList<KvLayout> Targets);
