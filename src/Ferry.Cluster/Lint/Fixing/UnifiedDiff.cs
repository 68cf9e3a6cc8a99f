namespace Ferry.Cluster.Lint.Fixing;

/// <summary>A unified diff of two texts, by lines.</summary>
public static class UnifiedDiff
{
    private const int Context = 3;

    /// <summary>Beyond this many differing lines on one side the middle is shown as one replacement: still right, only longer.</summary>
    private const int MaxLines = 2000;

    /// <summary>The lines of the diff, each with its sign; empty when the texts are equal.</summary>
    public static IReadOnlyList<string> Of(string path, string before, string after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var (left, right) = (before.Split('\n'), after.Split('\n'));
        var steps = Steps(left, right);
        if (steps.All(step => step.Sign == ' ')) { return []; }
        List<string> lines = [$"--- {path}", $"+++ {path} (fixed)"];
        var at = 0;
        while (at < steps.Count)
        {
            var first = steps.FindIndex(at, step => step.Sign != ' ');
            if (first < 0) { break; }
            var last = first;
            for (var i = first; i < steps.Count && i - last <= 2 * Context; i++)
            {
                if (steps[i].Sign != ' ') { last = i; }
            }
            var (from, to) = (Math.Max(at, first - Context), Math.Min(steps.Count - 1, last + Context));
            lines.Add(Header(steps, from, to));
            for (var i = from; i <= to; i++) { lines.Add(steps[i].Sign + steps[i].Text.TrimEnd('\r')); }
            at = to + 1;
        }
        return lines;
    }

    private static string Header(List<(char Sign, string Text)> steps, int from, int to)
    {
        var (left, right) = (1, 1);
        for (var i = 0; i < from; i++)
        {
            left += steps[i].Sign == '+' ? 0 : 1;
            right += steps[i].Sign == '-' ? 0 : 1;
        }
        var part = steps[from..(to + 1)];
        return $"@@ -{left},{part.Count(step => step.Sign != '+')} +{right},{part.Count(step => step.Sign != '-')} @@";
    }

    private static List<(char Sign, string Text)> Steps(string[] left, string[] right)
    {
        var (start, end) = (0, 0);
        while (start < left.Length && start < right.Length && left[start] == right[start]) { start++; }
        while (end < left.Length - start && end < right.Length - start && left[^(end + 1)] == right[^(end + 1)]) { end++; }
        var steps = left[..start].Select(line => (' ', line)).ToList();
        steps.AddRange(Middle(left[start..^end], right[start..^end]));
        steps.AddRange(left[^end..].Select(line => (' ', line)));
        return steps;
    }

    /// <summary>Longest common subsequence; the tables are bounded by <see cref="MaxLines"/>.</summary>
    private static List<(char Sign, string Text)> Middle(string[] left, string[] right)
    {
        if (left.Length > MaxLines || right.Length > MaxLines) { return [.. left.Select(line => ('-', line)), .. right.Select(line => ('+', line))]; }
        var common = new ushort[left.Length + 1, right.Length + 1];
        for (var i = left.Length - 1; i >= 0; i--)
        {
            for (var j = right.Length - 1; j >= 0; j--)
            {
                common[i, j] = left[i] == right[j] ? (ushort)(common[i + 1, j + 1] + 1) : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }
        var steps = new List<(char Sign, string Text)>();
        for (int i = 0, j = 0; i < left.Length || j < right.Length;)
        {
            if (i < left.Length && j < right.Length && left[i] == right[j])
            {
                steps.Add((' ', left[i]));
                i++;
                j++;
            }
            else if (i < left.Length && (j == right.Length || common[i + 1, j] >= common[i, j + 1])) { steps.Add(('-', left[i++])); }
            else { steps.Add(('+', right[j++])); }
        }
        return steps;
    }
}
