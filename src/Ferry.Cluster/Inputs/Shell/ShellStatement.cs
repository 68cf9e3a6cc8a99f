using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>One simple command before variables are replaced, read as its writer meant it (see <see cref="ShellLexer"/>).</summary>
internal sealed record ShellStatement(IReadOnlyList<ShellWord> Words, IReadOnlyList<ShellRedirect> Redirects, SourceSpan Span);
