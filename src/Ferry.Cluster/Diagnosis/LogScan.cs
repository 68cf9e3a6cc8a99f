namespace Ferry.Cluster.Diagnosis;

/// <summary>What one input showed.</summary>
/// <param name="Bytes">Read, before any decompression.</param>
/// <param name="Voices">Which components speak in it: names of <see cref="LogVoices"/>.</param>
/// <param name="Note">What the reader should know: cut lines, an end before the end of the input; empty when there is nothing.</param>
public sealed record LogScan(
    string Input, long Bytes, long Lines, IReadOnlyList<Sighting> Sightings, IReadOnlyList<string> Voices, string Note);
