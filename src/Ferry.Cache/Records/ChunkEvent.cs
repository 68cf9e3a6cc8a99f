using Ferry.Kv.Keys;

namespace Ferry.Cache.Records;

/// <summary>What happened to a chunk in memory.</summary>
/// <param name="Records">Records that came or went.</param>
/// <param name="Bytes">Their bytes in the arena.</param>
/// <param name="Age">Time since the chunk came.</param>
/// <param name="Idle">Time since it was stored or found last.</param>
public readonly record struct ChunkEvent(KvKey Key, int Records, long Bytes, TimeSpan Age, TimeSpan Idle);
