namespace Ferry.Cli.Up;

/// <summary>One process of the cluster.</summary>
/// <param name="Name">What people call it: prefill, decode, router.</param>
/// <param name="Shape">Its KV shape in words; empty for the router.</param>
/// <param name="Url">Where it serves HTTP.</param>
/// <param name="Arguments">Arguments of <c>ferry</c>.</param>
/// <param name="Environment">Variables set for it on top of its parent's.</param>
internal sealed record NodeSpec(
    string Name, string Shape, Uri Url, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment);
