using Ferry.Kv.Hashing;
using Spectre.Console;

namespace Ferry.Cli.Commands.Keys;

/// <summary>The report for people: a table a writer. Never wraps, so that a key can be copied whole.</summary>
internal static class KeyReportText
{
    /// <summary>Wider than the longest row, and the table takes only what it needs.</summary>
    private const int NeverWrapColumns = 4096;

    private const int FirstRows = 16;
    private const int LastRows = 2;

    public static void Write(KeyReport report, KeyExplanation? explanation, TextWriter output)
    {
        var console = TerminalConsole.Create(output);
        console.Profile.Width = NeverWrapColumns;
        if (explanation is not null)
        {
            console.MarkupLineInterpolated($"[bold]{explanation.Verdict}[/]");
            foreach (var difference in explanation.Differences)
            {
                console.MarkupLineInterpolated($"  - {difference}");
            }
            console.WriteLine();
        }
        console.MarkupLineInterpolated($"{report.Question.Tokens.Length} tokens, PYTHONHASHSEED {report.Question.HashSeed ?? "unset"}");
        foreach (var section in report.Sections)
        {
            console.WriteLine();
            console.MarkupLineInterpolated($"[bold]{Title(section)}[/]: {section.Algorithm.Name}, {section.Algorithm.Summary}");
            if (section.Problem is not null)
            {
                console.MarkupLineInterpolated($"[yellow]  {section.Problem}[/]");
                continue;
            }
            console.MarkupLineInterpolated($"  root {section.Root?.ToString() ?? ""}");
            if (section.Rows.Count > 0)
            {
                console.Write(Rows(section));
            }
            if (Note(section) is { } note)
            {
                console.MarkupLineInterpolated($"  {note}");
            }
        }
    }

    private static string Title(KeySection section) => section.Algorithm.Writer switch
    {
        ChunkHashWriter.LmCache => "LMCache in the engine",
        ChunkHashWriter.LmCacheDaemon => "LMCache daemon (MP)",
        _ => $"vLLM blocks of {section.ChunkTokens}",
    };

    private static Table Rows(KeySection section)
    {
        var isVllm = section.Algorithm.Writer == ChunkHashWriter.Vllm;
        var table = new Table { Border = TableBorder.None };
        table.AddColumn(new TableColumn("[dim]tokens[/]").NoWrap().PadLeft(2).PadRight(2));
        table.AddColumn(new TableColumn("[dim]hash[/]").NoWrap().PadRight(2));
        table.AddColumn(new TableColumn(isVllm ? "[dim]in KV events[/]" : "[dim]key[/]").NoWrap().PadRight(0));
        for (var index = 0; index < section.Rows.Count; index++)
        {
            var left = section.Rows.Count - index;
            if (index == FirstRows && left > LastRows + 1)
            {
                table.AddRow("…", $"{left - LastRows} more: --json shows all", "");
                index = section.Rows.Count - LastRows;
            }
            var row = section.Rows[index];
            table.AddRow(new Markup($"{row.FirstToken}..{row.FirstToken + row.TokenCount - 1}"), new Markup(row.Hash.ToString()),
                Markup.FromInterpolated($"{row.Key ?? VllmBlockHasher.ToEventHash(row.Hash).ToString()}"));
        }
        return table;
    }

    private static string? Note(KeySection section)
    {
        if (section.UnnamedTokens > 0)
        {
            return $"{Last(section.UnnamedTokens)} no {(section.Algorithm.Writer == ChunkHashWriter.Vllm ? "block" : "chunk")}: never shared.";
        }
        return section.Algorithm.Writer == ChunkHashWriter.LmCache && section.Rows is [.., var last] && last.TokenCount < section.ChunkTokens
            ? $"{Last(last.TokenCount)} no chunk: stored only with save_unfull_chunk (or enable_pd)."
            : null;
    }

    private static string Last(int tokenCount) => tokenCount == 1 ? "The last token fills" : $"The last {tokenCount} tokens fill";
}
