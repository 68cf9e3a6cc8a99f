using Ferry.Cluster.Rendering.Output;

namespace Ferry.Cluster.Rendering;

/// <summary>Everything that one rendering gives; nothing is written yet.</summary>
/// <param name="Files">Paths relative to the output directory.</param>
/// <param name="Warnings">What the user should know before starting it.</param>
/// <param name="Placeholders">Placeholders of the description, such as <c>&lt;prefill-ip&gt;</c>, that stand in the files.</param>
/// <param name="Variables">Environment variables that whoever starts it must set: secrets, and paths of this host.</param>
public sealed record RenderedCluster(IReadOnlyList<RenderedFile> Files, IReadOnlyList<string> Warnings, IReadOnlyList<string> Placeholders, IReadOnlyList<string> Variables);
