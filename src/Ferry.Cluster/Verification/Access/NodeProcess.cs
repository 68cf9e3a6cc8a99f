namespace Ferry.Cluster.Verification.Access;

/// <summary>One process as the kernel knows it.</summary>
/// <param name="Id">As its own machine or container counts.</param>
/// <param name="Command">Its command line, blanks between the words.</param>
/// <param name="Environment">Null: it cannot be read, or the process overwrote it with its title, as vLLM's workers do.</param>
/// <param name="Limits">/proc/ID/limits; empty: it cannot be read.</param>
internal sealed record NodeProcess(int Id, string Command, IReadOnlyDictionary<string, string>? Environment, string Limits);
