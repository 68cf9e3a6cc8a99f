using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>A part of a word.</summary>
/// <param name="Text">The characters of a literal; anything else as written.</param>
/// <param name="IsQuoted">Inside quotes: not split at blanks.</param>
/// <param name="Name">Of a variable or array.</param>
/// <param name="Default">Behind <c>:-</c> or <c>-</c>, as written; null when there is none.</param>
/// <param name="IsRequired"><c>${NAME:?…}</c>: the script itself says that it comes from outside.</param>
internal sealed record ShellPart(
    ShellPartKind Kind, SourcedText Text, bool IsQuoted, string? Name = null, SourcedText? Default = null, bool IsRequired = false);
