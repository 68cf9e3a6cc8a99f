namespace Ferry.Cluster.Diagnosis;

/// <summary>Orders what was seen: roots before what they explain, wrong answers before failures before delays, certain before possible.</summary>
internal static class CauseRanking
{
    /// <param name="scans">Logs and metric pages of one run.</param>
    public static IReadOnlyList<DiagnosedCause> Rank(IReadOnlyList<LogScan> scans)
    {
        Dictionary<string, List<Sighting>> seen = [];
        foreach (var sighting in scans.SelectMany(scan => scan.Sightings))
        {
            (seen.TryGetValue(sighting.Signature.Id, out var list) ? list : seen[sighting.Signature.Id] = []).Add(sighting);
        }
        var voices = scans.SelectMany(scan => scan.Voices).ToHashSet(StringComparer.Ordinal);
        Dictionary<string, string> rootOf = [];
        foreach (var id in seen.Keys)
        {
            rootOf[id] = Root(id, seen);
        }
        var causes = seen.Keys.ToDictionary(id => id, id => Cause(seen[id], seen, voices, []));
        return
        [
            .. causes.Values.Where(cause => rootOf[cause.Signature.Id] == cause.Signature.Id)
                .Select(cause => cause with { Consequences = [.. causes.Values.Where(other => other != cause && rootOf[other.Signature.Id] == cause.Signature.Id).OrderBy(First).ThenBy(other => other.Signature.Id, StringComparer.Ordinal)] })
                .OrderByDescending(Worst)
                .ThenByDescending(cause => cause.Consequences.Count)
                .ThenBy(cause => cause.Missing.Count - cause.Present.Count)
                .ThenBy(First)
                .ThenByDescending(cause => cause.Count)
                .ThenBy(cause => cause.Signature.Id, StringComparer.Ordinal),
        ];
    }

    /// <summary>Follows <see cref="Signature.CausedBy"/> through what was sighted. Whatever was seen first among several is taken; circles end.</summary>
    private static string Root(string id, Dictionary<string, List<Sighting>> seen)
    {
        HashSet<string> passed = [id];
        var at = id;
        while (seen[at][0].Signature.CausedBy.Where(cause => seen.ContainsKey(cause) && !passed.Contains(cause))
            .OrderBy(cause => seen[cause].Min(sighting => sighting.FirstLine)).FirstOrDefault() is { } above)
        {
            passed.Add(above);
            at = above;
        }
        return at;
    }

    private static DiagnosedCause Cause(List<Sighting> sightings, Dictionary<string, List<Sighting>> seen, HashSet<string> voices, IReadOnlyList<DiagnosedCause> consequences)
    {
        var signature = sightings[0].Signature;
        var needs = signature.Needs.ToLookup(need => need.Seen is { } what && (seen.ContainsKey(what) || voices.Contains(what)));
        return new DiagnosedCause(signature, sightings, [.. needs[true]], [.. needs[false]], consequences);
    }

    private static SignatureSeverity Worst(DiagnosedCause cause) =>
        cause.Consequences.Select(other => other.Signature.Severity).Append(cause.Signature.Severity).Max();

    private static long First(DiagnosedCause cause) => cause.Sightings.Min(sighting => sighting.FirstLine);
}
