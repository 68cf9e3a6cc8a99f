namespace Ferry.Cluster.Inputs.Shell;

/// <summary>Reads redirections and the bodies of heredocs.</summary>
internal static class ShellRedirectReader
{
    private static readonly string[] Operators = ["<<<", "<<-", "<<", "&>>", "&>", ">>", ">|", ">&", "<&", "<>", ">", "<"];

    /// <summary>Takes a redirection at the cursor, with its target; false when there is none.</summary>
    public static bool TryRead(
        ShellCursor cursor, ShellWordReader words, List<(int Index, string Delimiter, bool StripTabs)> heredocs, List<ShellRedirect> redirects)
    {
        var digits = 0;
        while (digits < 3 && char.IsAsciiDigit(cursor.Peek(digits))) { digits++; }
        var at = cursor.At + digits;
        if (digits == 0 && ShellWordReader.PlaceholderLength(cursor, at) > 0) { return false; }
        var op = Operators.FirstOrDefault(candidate => string.CompareOrdinal(cursor.Value, at, candidate, 0, candidate.Length) == 0);
        if (op is null) { return false; }
        cursor.At = at + op.Length;
        while (cursor.Peek() is ' ' or '\t') { cursor.At++; }
        if (op is ">&" or "<&" && (char.IsAsciiDigit(cursor.Peek()) || cursor.Peek() == '-'))
        {
            cursor.At++;
            return true;   // 2>&1: nothing that a reader needs
        }
        if (cursor.IsAtEnd || cursor.Peek() is '\n' or '\r' or ';' or '|' or '&' or '(' or ')' or '<' or '>') { return true; }
        var start = cursor.At;
        var target = words.Read();
        if (cursor.At == start) { cursor.At++; }
        if (op is "<<" or "<<-") { heredocs.Add((redirects.Count, target.Raw, op == "<<-")); }
        redirects.Add(new ShellRedirect(op is "<<-" ? "<<" : op, target));
        return true;
    }

    /// <summary>The cursor stands at the line behind the command: takes the bodies up to their delimiters (or the end).</summary>
    public static void ReadBodies(ShellCursor cursor, List<(int Index, string Delimiter, bool StripTabs)> heredocs, List<ShellRedirect> redirects)
    {
        foreach (var (index, delimiter, stripTabs) in heredocs)
        {
            var start = cursor.At;
            var end = start;
            while (!cursor.IsAtEnd)
            {
                var lineEnd = cursor.LineEnd(cursor.At);
                var line = cursor.Value.AsSpan(cursor.At, lineEnd - cursor.At).TrimEnd('\r');
                end = cursor.At;
                cursor.At = Math.Min(lineEnd + 1, cursor.Value.Length);
                if ((stripTabs ? line.TrimStart('\t') : line).SequenceEqual(delimiter)) { break; }
                end = cursor.At;
            }
            if (index < redirects.Count) { redirects[index] = redirects[index] with { Body = cursor.Text.Part(start, end - start) }; }
        }
        heredocs.Clear();
    }
}
