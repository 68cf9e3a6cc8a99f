using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Markdown;

/// <summary>A fenced block of a page.</summary>
/// <param name="Language">The first word behind the fence, lower case; may be empty.</param>
/// <param name="Text">The lines between the fences.</param>
/// <param name="Section">Index of the heading of level 1 or 2 that it stands under.</param>
internal sealed record MarkdownBlock(string Language, SourcedText Text, int Section);
