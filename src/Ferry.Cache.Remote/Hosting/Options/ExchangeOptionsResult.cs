using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <param name="Options">Null when a finding is an error.</param>
/// <param name="Findings">One for every setting that was given, and for every check that failed.</param>
public sealed record ExchangeOptionsResult(ExchangeOptions? Options, IReadOnlyList<Finding> Findings);
