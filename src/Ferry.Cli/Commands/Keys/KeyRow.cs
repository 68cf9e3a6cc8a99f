using Ferry.Kv.Hashing;

namespace Ferry.Cli.Commands.Keys;

/// <summary>One chunk or block of the prompt.</summary>
/// <param name="FirstToken">0-based.</param>
/// <param name="TokenCount">Less than a chunk only in the last row.</param>
/// <param name="Key">The writer's key string; null for vLLM, which has none.</param>
internal sealed record KeyRow(int FirstToken, int TokenCount, ChunkHash Hash, string? Key);
