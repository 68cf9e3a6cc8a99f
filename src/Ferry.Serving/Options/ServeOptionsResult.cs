using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <param name="Options">Null when a finding is an error.</param>
/// <param name="Findings">One for every setting that was given, and for every check that failed.</param>
public sealed record ServeOptionsResult(ServeOptions? Options, IReadOnlyList<Finding> Findings);
