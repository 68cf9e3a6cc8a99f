namespace Ferry.Serving.Options;

/// <summary>Finds the known name that an unknown one was probably meant to be.</summary>
public static class NearestName
{
    private const int MaxNameLength = 128;

    /// <summary>The known name at the smallest edit distance, or null when none is near (more than a third of the letters differ).</summary>
    public static string? Find(string unknown, IEnumerable<string> known)
    {
        if (unknown.Length > MaxNameLength)
        {
            return null;
        }
        var folded = Fold(unknown);
        string? best = null;
        var bestDistance = Math.Max(2, folded.Length / 3) + 1;
        foreach (var name in known)
        {
            var distance = Distance(folded, Fold(name));
            if (distance < bestDistance)
            {
                (best, bestDistance) = (name, distance);
            }
        }
        return best;
    }

    /// <summary>"Did you mean X?" with a space in front, or nothing.</summary>
    public static string Hint(string unknown, IEnumerable<string> known) =>
        Find(unknown, known) is { } name ? $" Did you mean {name}?" : "";

    private static string Fold(string name) => name.ToLowerInvariant().Replace('_', '-');

    /// <summary>Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each cost 1.</summary>
    private static int Distance(string left, string right)
    {
        var rows = new int[3][];
        for (var row = 0; row < 3; row++)
        {
            rows[row] = new int[right.Length + 1];
        }
        for (var column = 0; column <= right.Length; column++)
        {
            rows[0][column] = column;
        }
        for (var i = 1; i <= left.Length; i++)
        {
            var (current, previous, beforePrevious) = (rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
            current[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = left[i - 1] == right[j - 1] ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + cost);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    current[j] = Math.Min(current[j], beforePrevious[j - 2] + 1);
                }
            }
        }
        return rows[left.Length % 3][right.Length];
    }
}
