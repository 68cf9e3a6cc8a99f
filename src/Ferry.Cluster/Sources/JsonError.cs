namespace Ferry.Cluster.Sources;

/// <summary>Why a text is no JSON.</summary>
/// <param name="Message">What was expected and what stands there.</param>
/// <param name="Span">Where.</param>
internal sealed record JsonError(string Message, SourceSpan Span);
