using Ferry.Kv.Hashing;

namespace Ferry.Serving.Events;

/// <summary>One thing that happened to a chunk in memory.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Hash">The chunk; without meaning for <see cref="KvEventKind.Cleared"/>.</param>
/// <param name="Parent">Of a stored chunk: the one before it in its prompt; null for the first.</param>
/// <param name="Tokens">Of a stored chunk: its own tokens.</param>
/// <param name="Salt">Of a stored chunk: the tenant whose requests find it; empty for none.</param>
internal readonly record struct KvEvent(KvEventKind Kind, ChunkHash Hash, ChunkHash? Parent, int[] Tokens, string Salt);
