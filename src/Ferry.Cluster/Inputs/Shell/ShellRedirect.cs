using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>A redirection of a command.</summary>
/// <param name="Operator"><c>&gt;</c>, <c>&gt;&gt;</c>, <c>&lt;</c>, <c>&lt;&lt;</c>, <c>&lt;&lt;&lt;</c>, <c>&amp;&gt;</c>.</param>
/// <param name="Target">File or heredoc delimiter.</param>
/// <param name="Body">The lines of a heredoc.</param>
internal sealed record ShellRedirect(string Operator, ShellWord Target, SourcedText? Body = null);
