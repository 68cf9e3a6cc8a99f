using System.Text.Json.Nodes;
using Ferry.Kv.Text;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cache;

/// <summary>Shows how far long work has come: a bar on a terminal, nothing elsewhere.</summary>
internal static class WorkProgress
{
    /// <summary>Follows lines of progress to the last one.</summary>
    /// <param name="totalName">Of the number that <paramref name="doneName"/> grows to; where a line lacks it the bar only moves.</param>
    public static async Task<JsonObject> FollowAsync(string title, IAsyncEnumerable<JsonObject> lines, string doneName, string totalName, TextWriter output)
    {
        JsonObject? last = null;
        await RunAsync(title, output, async report =>
        {
            await foreach (var line in lines)
            {
                last = line;
                report(line[doneName]?.GetValue<long>() ?? 0, line[totalName]?.GetValue<long>(), Text(line));
            }
        });
        return last ?? throw new AdminClientException("the exchange answered nothing.");
    }

    /// <summary>Runs work that reports (done, total, text).</summary>
    public static async Task RunAsync(string title, TextWriter output, Func<Action<long, long?, string>, Task> work)
    {
        var console = TerminalConsole.Create(output);
        if (!console.Profile.Capabilities.Interactive)
        {
            await work(static (_, _, _) => { });
            return;
        }
        await console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn()).StartAsync(async context =>
        {
            var task = context.AddTask(title);
            task.IsIndeterminate = true;
            await work((done, total, text) =>
            {
                task.Description = $"{title} {Markup.Escape(text)}";
                if (total is > 0)
                {
                    task.IsIndeterminate = false;
                    task.MaxValue = total.Value;
                    task.Value = done;
                }
            });
            task.StopTask();
        });
    }

    private static string Text(JsonObject line) => $"{line["records"]} records, {ByteSize.Format(line["bytes"]?.GetValue<long>() ?? 0)}";
}
