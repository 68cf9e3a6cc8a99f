using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>A command with its variables replaced.</summary>
/// <param name="Words">The program and its arguments.</param>
/// <param name="Environment">What it inherits from the script, then what stands before it (<c>NAME=value program</c>).</param>
/// <param name="Scope">The variables at this command, for words inside it that a nested shell reads.</param>
/// <param name="Unset">Variables used here that nothing sets.</param>
internal sealed record ShellCommand(
    IReadOnlyList<SourcedText> Words, IReadOnlyList<EnvironmentSetting> Environment, ShellScope Scope,
    IReadOnlyList<ShellRedirect> Redirects, SourceSpan Span, IReadOnlyList<(string Name, SourceSpan Span)> Unset);
