namespace Ferry.Cluster.Diagnosis;

/// <summary>One trouble as one input shows it.</summary>
/// <param name="Input">File name, container or URL.</param>
/// <param name="Count">How often.</param>
/// <param name="FirstLine">Line number of the first, from 1; 0 in metrics.</param>
/// <param name="FirstTime">As the log writes it; null when its lines carry no time.</param>
/// <param name="Evidence">The lines of the first, secrets masked, long ones cut.</param>
public sealed record Sighting(
    Signature Signature, string Input, long Count, long FirstLine, long LastLine, string? FirstTime, string? LastTime, IReadOnlyList<string> Evidence);
