using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Reading;

/// <summary>What a file was read as: a specification, or everything that is wrong with it.</summary>
/// <param name="Spec">Null when there is an error.</param>
/// <param name="Source">Where each value stands; also of a file with errors.</param>
/// <param name="Errors">In the order of the file.</param>
public sealed record SpecReading(ClusterSpec? Spec, SpecSource Source, IReadOnlyList<SpecError> Errors);
