using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>A variable of a script.</summary>
/// <param name="Value">Null when it is only known at run time (<c>read NAME</c>, a loop).</param>
/// <param name="Elements">Of an array; else null.</param>
/// <param name="Name">Where it was last assigned.</param>
internal sealed record ShellVariable(SourcedText Name, SourcedText? Value, IReadOnlyList<SourcedText>? Elements, bool IsExported, SourceSpan Span);
