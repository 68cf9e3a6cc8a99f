using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>A probe of a container.</summary>
/// <param name="Kind"><c>livenessProbe</c>, <c>readinessProbe</c> or <c>startupProbe</c>.</param>
/// <param name="Path">Of an HTTP probe.</param>
/// <param name="Port">Number or name.</param>
internal sealed record KubernetesProbe(
    string Kind, SourceSpan Span, SourcedText? Path, SourcedText? Port, SourcedText? InitialDelaySeconds, SourcedText? PeriodSeconds, SourcedText? FailureThreshold);
