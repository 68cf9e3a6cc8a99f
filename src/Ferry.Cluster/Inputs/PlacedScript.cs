using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs;

/// <summary>A script and where it stands.</summary>
/// <param name="Section">Of the page; null for a file.</param>
/// <param name="IsPage">Shares its variables with the page's other blocks.</param>
/// <param name="Depth">Texts that it stands inside.</param>
internal sealed record PlacedScript(SourcedText Text, int? Section, bool IsPage, int Depth);
