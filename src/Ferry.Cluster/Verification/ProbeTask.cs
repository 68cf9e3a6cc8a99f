namespace Ferry.Cluster.Verification;

/// <summary>One run of a probe.</summary>
/// <param name="Target">What it looks at: a process, a pair, the store.</param>
/// <param name="RunAsync">Throws only what <see cref="Verifier"/> turns into an answer: nothing a probe throws is a pass.</param>
internal sealed record ProbeTask(string Target, Func<CancellationToken, Task<ProbeAnswer>> RunAsync);
