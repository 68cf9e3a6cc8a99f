using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs;

/// <summary>What the readers made of the files.</summary>
/// <param name="Secrets">Secret values that stand in no process: the data of a Kubernetes Secret, words of a script.</param>
internal sealed record ReadCluster(ObservedCluster Cluster, IReadOnlyList<SourcedText> Secrets);
