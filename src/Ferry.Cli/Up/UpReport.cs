namespace Ferry.Cli.Up;

/// <summary>What <c>ferry up --json</c> prints.</summary>
/// <param name="Url">The router.</param>
/// <param name="FromSharedStore">Asked of a prefill node that started with nothing in memory; null without a shared store.</param>
internal sealed record UpReport(
    Uri Url, IReadOnlyList<UpNode> Nodes, double StartSeconds, HandOverAccount First, HandOverAccount Second, HandOverAccount? FromSharedStore);

internal sealed record UpNode(string Name, string Shape, Uri Url, int ProcessId);
