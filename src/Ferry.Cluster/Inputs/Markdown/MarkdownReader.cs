using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Markdown;

/// <summary>Finds the fenced blocks of a Markdown page (CommonMark, "Fenced code blocks").</summary>
internal static class MarkdownReader
{
    public static IReadOnlyList<MarkdownBlock> Read(SourcedText page)
    {
        var blocks = new List<MarkdownBlock>();
        var value = page.Value;
        var section = 0;
        var open = default((char Mark, int Length, int Indent, int Start, string Language)?);
        for (var at = 0; at < value.Length;)
        {
            var end = value.IndexOf('\n', at);
            if (end < 0) { end = value.Length; }
            var line = value.AsSpan(at, end - at).TrimEnd('\r');
            var (mark, length) = Fence(line);
            if (open is { } block)
            {
                if (mark == block.Mark && length >= block.Length && line.Trim().Trim(mark).IsEmpty)
                {
                    blocks.Add(new MarkdownBlock(block.Language, Dedent(page, block.Start, at, block.Indent), section));
                    open = null;
                }
            }
            else if (length >= 3)
            {
                var rest = line.TrimStart()[length..].Trim();
                var blank = rest.IndexOfAny(" \t{,");
                open = (mark, length, line.Length - line.TrimStart().Length, Math.Min(end + 1, value.Length), (blank < 0 ? rest : rest[..blank]).ToString().ToLowerInvariant());
            }
            else if (line.StartsWith("# ") || line.StartsWith("## "))
            {
                section++;
            }
            at = end + 1;
        }
        if (open is { } last) { blocks.Add(new MarkdownBlock(last.Language, Dedent(page, last.Start, value.Length, last.Indent), section)); }
        return blocks;
    }

    private static (char Mark, int Length) Fence(ReadOnlySpan<char> line)
    {
        var trimmed = line.TrimStart();
        if (trimmed.Length < 3 || trimmed[0] is not ('`' or '~')) { return default; }
        var mark = trimmed[0];
        var length = 0;
        while (length < trimmed.Length && trimmed[length] == mark) { length++; }
        // A backtick behind the opening run makes it inline code.
        return length >= 3 && !(mark == '`' && trimmed[length..].Contains('`')) ? (mark, length) : default;
    }

    /// <summary>The lines with the fence's own indentation taken off.</summary>
    private static SourcedText Dedent(SourcedText page, int start, int end, int indent)
    {
        if (indent == 0 || start >= end) { return page.Part(start, Math.Max(0, end - start)); }
        var characters = new List<char>(end - start);
        var offsets = new List<int>(end - start);
        var column = 0;
        for (var i = start; i < end; i++)
        {
            var c = page.Value[i];
            var isIndent = column < indent && c is ' ' or '\t';
            column = c == '\n' ? 0 : column + 1;
            if (isIndent) { continue; }
            characters.Add(c);
            offsets.Add(page.OffsetAt(i));
        }
        return new SourcedText(new string([.. characters]), page.Slice(start, end - start), [.. offsets]);
    }
}
