using Ferry.Kv.Hashing;

namespace Ferry.Cli.Commands.Keys;

/// <summary>How one writer names the prompt's chunks.</summary>
/// <param name="ChunkTokens">Tokens of a full chunk or block.</param>
/// <param name="Root">Parent of the first chunk; null if <paramref name="Problem"/> is set.</param>
/// <param name="Rows">First chunk first.</param>
/// <param name="UnnamedTokens">Tokens at the end that the writer never gives a name.</param>
/// <param name="Problem">Why there are no rows, or null.</param>
internal sealed record KeySection(
    ChunkHashAlgorithm Algorithm, int ChunkTokens, ChunkHash? Root, IReadOnlyList<KeyRow> Rows, int UnnamedTokens, string? Problem);
