namespace Ferry.Cluster.Lint;

/// <summary>Tells a misspelt name from one that merely is not in a list.</summary>
/// <remarks>
/// The lists of vLLM's and UCX's names are never complete, so that nearness alone would call a new name a mistake. Here a name is a
/// misspelling only if it differs from a known one in one place and by a few letters.
/// </remarks>
internal static class Typo
{
    /// <summary>The known name that was meant, or null.</summary>
    /// <param name="name">As written, not among <paramref name="known"/>.</param>
    /// <param name="known">Right names.</param>
    /// <param name="letters">Letters that the two may differ in, on each side.</param>
    public static string? Find(string name, IEnumerable<string> known, int letters = 2)
    {
        string? best = null;
        var bestDistance = letters + 1;
        foreach (var candidate in known)
        {
            var distance = Distance(name, candidate);
            if (distance < bestDistance) { (best, bestDistance) = (candidate, distance); }
        }
        return best;
    }

    /// <summary>Length of the longer of the two parts that remain when what both begin and end with is taken off.</summary>
    private static int Distance(string left, string right)
    {
        var shorter = Math.Min(left.Length, right.Length);
        var start = 0;
        while (start < shorter && left[start] == right[start]) { start++; }
        var end = 0;
        while (end < shorter - start && left[^(end + 1)] == right[^(end + 1)]) { end++; }
        return Math.Max(left.Length, right.Length) - start - end;
    }
}
