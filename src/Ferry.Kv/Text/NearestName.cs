namespace Ferry.Kv.Text;

/// <summary>Finds the known name that a mistyped one was probably meant to be.</summary>
public static class NearestName
{
    /// <summary>Longer names are never close to one of ours, and the cost of a comparison grows with the product of the lengths.</summary>
    private const int MaxNameLength = 128;

    /// <summary>The nearest of <paramref name="known"/> (the first of several as near), or null when none is near.</summary>
    /// <remarks>
    /// Counts inserted, dropped, changed and swapped characters; letter case and <c>-</c> against <c>_</c> cost nothing. Near means at
    /// most a third of the characters (at least one, so that a typo in a three-letter name is still found).
    /// </remarks>
    public static string? Find(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        if (name.Length is 0 or > MaxNameLength) { return null; }
        string? nearest = null;
        var nearestDistance = Math.Max(1, name.Length / 3) + 1;
        foreach (var candidate in known)
        {
            // The lengths alone already say how far apart two names must be.
            if (candidate.Length > MaxNameLength || Math.Abs(candidate.Length - name.Length) >= nearestDistance) { continue; }
            var distance = Distance(name, candidate);
            if (distance < nearestDistance)
            {
                nearest = candidate;
                nearestDistance = distance;
            }
        }
        return nearest;
    }

    /// <summary>Optimal string alignment: edits and swaps of neighbours, no character edited twice.</summary>
    private static int Distance(string left, string right)
    {
        Span<int> beforeLast = stackalloc int[MaxNameLength + 1];
        Span<int> last = stackalloc int[MaxNameLength + 1];
        Span<int> row = stackalloc int[MaxNameLength + 1];
        for (var column = 0; column <= right.Length; column++) { last[column] = column; }
        for (var i = 1; i <= left.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var changed = Same(left[i - 1], right[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(last[j] + 1, row[j - 1] + 1), last[j - 1] + changed);
                if (i > 1 && j > 1 && Same(left[i - 1], right[j - 2]) && Same(left[i - 2], right[j - 1]))
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }
            var spare = beforeLast;
            beforeLast = last;
            last = row;
            row = spare;
        }
        return last[right.Length];
    }

    private static bool Same(char left, char right) => Fold(left) == Fold(right);

    private static char Fold(char character) => character == '-' ? '_' : char.ToLowerInvariant(character);
}
