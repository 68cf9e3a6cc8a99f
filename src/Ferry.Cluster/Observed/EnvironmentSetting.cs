using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>One environment variable of a process.</summary>
/// <param name="Name">With its place.</param>
/// <param name="Value">Null where only a reference stands (<c>-e NAME</c>, <c>valueFrom</c>) whose target was not given.</param>
/// <param name="Span">The whole assignment, flag included where it has one of its own: <c>-e NAME=value</c>.</param>
/// <param name="Reference">What it is taken from, as a message quotes it ("Secret s3-credentials, key access-key"); null when written in place.</param>
internal sealed record EnvironmentSetting(
    SourcedText Name, SourcedText? Value, SourceSpan Span, EnvironmentOrigin Origin, string? Reference = null)
{
    /// <summary>The name says that its value must not be shown: keys, tokens, passwords.</summary>
    public bool IsSecret => SecretNames.IsSecret(Name.Value);
}
