namespace Ferry.Kv.Hashing;

/// <summary>One way to name chunks, by the name that Ferry gives it.</summary>
/// <param name="Name">What <see cref="ChunkHasher.Create"/> and <c>ferry keys --algorithm</c> take.</param>
/// <param name="Writer">Which kind of peer names its KV so.</param>
/// <param name="UsesSeed">Whether PYTHONHASHSEED changes the result.</param>
/// <param name="Summary">One line for people.</param>
public sealed record ChunkHashAlgorithm(string Name, ChunkHashWriter Writer, bool UsesSeed, string Summary);
