using Ferry.Cluster.Inputs.Processes;

namespace Ferry.Cluster.Inputs;

/// <summary>A draft and the section of the page that it stands in; null for a file.</summary>
/// <param name="Description">Index of the ferry.yaml that it is planned from; null for what is written out.</param>
internal sealed record PlacedDraft(ProcessDraft Draft, int? Section, int? Description = null);
