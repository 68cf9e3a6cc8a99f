using Spectre.Console;

namespace Ferry.Cli.Up;

/// <summary>The account on a terminal: who runs where, what each question moved, and what it took.</summary>
internal sealed class AccountWriter(IAnsiConsole console)
{
    private const int ExcerptLines = 3; // Enough of the story to see that it is one.

    public void Nodes(IEnumerable<NodeProcess> nodes, TimeSpan started)
    {
        var grid = Columns();
        foreach (var node in nodes)
        {
            grid.AddRow(Cell(node.Spec.Name, "bold"), Cell($"{node.Spec.Url}"), Cell(node.Spec.Shape, "grey"));
        }
        console.Write(new Padder(grid, new Padding(2, 0, 0, 0)));
        console.MarkupLineInterpolated($"  [grey]ready after {started.TotalSeconds:F1} s[/]");
        console.WriteLine();
    }

    public void Document(DemoDocument document)
    {
        console.MarkupLine("  [bold]A story[/]");
        var width = Math.Clamp(console.Profile.Width - 6, 40, 110);
        var lines = Wrap(document.Text, width).ToArray();
        foreach (var line in lines.Take(ExcerptLines))
        {
            console.MarkupLineInterpolated($"  [grey]│[/] [italic]{line}[/]");
        }
        if (lines.Length > ExcerptLines)
        {
            console.MarkupLineInterpolated($"  [grey]│ … {lines.Length - ExcerptLines} more lines[/]");
        }
        console.WriteLine();
    }

    public void Question(string title, HandOverAccount account, NodeSpec prefill, NodeSpec decode)
    {
        console.MarkupLineInterpolated($"  [bold]{title}[/] {account.Question}");
        console.MarkupLineInterpolated($"  [bold]Answer[/] [{(account.IsRight ? "green" : "red")}]{account.Answer}[/]  {(account.IsRight ? "✓" : $"✗ expected: {account.Expected}")}");
        var computed = account.PromptTokens - account.PrefillCachedTokens;
        var grid = Columns();
        grid.AddRow(
            Cell("prefill"), Cell($"{prefill.Name} computed {computed} of {account.PromptTokens} tokens{(account.PrefillCachedTokens > 0 ? $", {account.PrefillCachedTokens} cached" : "")}"),
            Time(account, "prefill"));
        if (account.MovedTokens > 0)
        {
            grid.AddRow(
                Cell("move"), Cell($"{Size(account.MovedBytes)} of KV, {account.MovedTokens} tokens, {Origin(account.Source, prefill.Name)} → {decode.Name}"),
                Time(account, "transfer"));
            grid.AddRow(Cell("verify"), Cell($"checksums {account.Checksum}"), Time(account, "verify"));
        }
        else
        {
            grid.AddRow(Cell("move"), Cell($"nothing: {account.Failure()}", "red"), Text.Empty);
        }
        if (account.ConvertedBytes > 0)
        {
            grid.AddRow(Cell("convert"), Cell($"{Size(account.ConvertedBytes)} to {Shape(decode)}"), Time(account, "convert"));
        }
        grid.AddRow(Cell("decode"), Cell($"{decode.Name} wrote {account.AnswerTokens} tokens"), Cell($"{account.TotalMs - account.TimeToFirstTokenMs,7:F1} ms"));
        grid.AddRow(Cell("first token", "bold"), Cell("as the client saw it", "grey"), Cell($"{account.TimeToFirstTokenMs,7:F1} ms", "bold"));
        console.Write(new Padder(grid, new Padding(4, 0, 0, 0)));
        console.WriteLine();
    }

    public void Comparison(HandOverAccount first, HandOverAccount second) =>
        console.MarkupLineInterpolated(
            $"  {second.PrefillCachedTokens} of {second.PromptTokens} tokens cached: first token after [bold]{second.TimeToFirstTokenMs:F0} ms[/] instead of {first.TimeToFirstTokenMs:F0} ms.");

    public void Stays(Uri url, string model, string logDirectory)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"  Up at [link]{url}[/]  [grey](logs in {logDirectory}; Ctrl-C stops everything)[/]");
        console.MarkupLine("  [grey]Talk to it:[/] ./ferry chat   [grey]or:[/]");
        console.WriteLine(
            $$"""  curl {{url}}v1/chat/completions -H 'Content-Type: application/json' -d '{"model":"{{model}}","messages":[{"role":"user","content":"Tell me a story."}],"max_tokens":100}'""");
        console.WriteLine();
    }

    private static string Origin(string source, string prefill) => source.Replace("peer", prefill, StringComparison.Ordinal).Replace("directory", "the shared store", StringComparison.Ordinal);

    /// <summary>"mi300x: block 16, HND, …" without the name of the device.</summary>
    private static string Shape(NodeSpec node) => node.Shape[(node.Shape.IndexOf(':', StringComparison.Ordinal) + 2)..];

    private static Text Time(HandOverAccount account, params string[] steps)
    {
        var known = steps.Where(account.Steps.ContainsKey).ToArray();
        return known.Length == 0 ? Text.Empty : Cell($"{known.Sum(step => account.Steps[step]),7:F1} ms");
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1 << 10 => $"{bytes} B",
        < 1 << 20 => $"{bytes / 1024.0:F1} KiB",
        < 1 << 30 => $"{bytes / (1024.0 * 1024):F2} MiB",
        _ => $"{bytes / (1024.0 * 1024 * 1024):F2} GiB",
    };

    private static Text Cell(string text, string style = "default") => new(text, Style.Parse(style));

    private static Grid Columns() => new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn().AddColumn(new GridColumn().NoWrap());

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new System.Text.StringBuilder();
        foreach (var word in text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        yield return line.ToString();
    }
}
