using System.CommandLine;
using System.Text.Json.Nodes;
using Ferry.Cli.Help;
using Ferry.Kv.Text;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache ls</c></summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var prefix = new Argument<string?>("PREFIX") { Description = "Only keys that begin so.", Arity = ArgumentArity.ZeroOrOne };
        var tier = CacheSubcommands.TierOption("memory (default), disk, s3, redis or directory.");
        var limit = new Option<int>("--limit") { Description = "Records at most; 0 for all.", DefaultValueFactory = _ => 1000 };
        var admin = new AdminOptions();
        var command = new FerryCommand("ls", "List the records of a tier.",
            new CommandExample("ferry cache ls", "what is in memory"),
            new CommandExample("ferry cache ls --tier s3 --json", "what is in the bucket, for programs"))
        { prefix, tier, limit };
        CacheSubcommands.SetAction(command, admin, (result, client, cancellationToken) =>
        {
            var wanted = result.GetValue(limit);
            var path = "v1/records" + CacheSubcommands.Query(("tier", result.GetValue(tier)), ("prefix", result.GetValue(prefix)), ("limit", wanted > 0 ? $"{wanted}" : null));
            var rows = client.AskLinesAsync(HttpMethod.Get, path, cancellationToken);
            return admin.IsJson(result) ? WriteJsonAsync(rows, result.InvocationConfiguration.Output) : WriteTableAsync(rows, result.InvocationConfiguration.Output);
        });
        return command;
    }

    private static async Task<int> WriteJsonAsync(IAsyncEnumerable<JsonObject> rows, TextWriter output)
    {
        await foreach (var row in rows)
        {
            await output.WriteLineAsync(row.ToJsonString());
        }
        return FerryCommandLine.Done;
    }

    private static async Task<int> WriteTableAsync(IAsyncEnumerable<JsonObject> rows, TextWriter output)
    {
        var console = TerminalConsole.Create(output);
        await foreach (var row in rows)
        {
            if (row["done"] is not null)
            {
                console.MarkupLineInterpolated($"[grey]{row["records"]} records, {ByteSize.Format(row["bytes"]!.GetValue<long>())}{(row["more"]!.GetValue<bool>() ? ", and more: raise --limit" : "")}[/]");
                continue;
            }
            var name = row["key"]?.ToString() ?? row["location"]?.ToString() ?? $"chunk {row["chunk"]}";
            await output.WriteLineAsync($"{ByteSize.Format(row["bytes"]!.GetValue<long>()),10}  {row["pin"]?.ToString() ?? "",-4}  {name}{(row["key"] is null && row["layout"] is { } layout ? $"  {layout}" : "")}");
        }
        return FerryCommandLine.Done;
    }
}
