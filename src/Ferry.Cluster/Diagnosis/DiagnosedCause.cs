namespace Ferry.Cluster.Diagnosis;

/// <summary>One cause with everything that was seen of it.</summary>
/// <param name="Sightings">One an input.</param>
/// <param name="Present">Evidence besides the lines themselves that is there already.</param>
/// <param name="Missing">Evidence that would make it certain.</param>
/// <param name="Consequences">What this cause explains; each also a cause of the report's signatures, told here and not again.</param>
public sealed record DiagnosedCause(
    Signature Signature, IReadOnlyList<Sighting> Sightings, IReadOnlyList<EvidenceNeed> Present, IReadOnlyList<EvidenceNeed> Missing, IReadOnlyList<DiagnosedCause> Consequences)
{
    public long Count => Sightings.Sum(sighting => sighting.Count);
}
