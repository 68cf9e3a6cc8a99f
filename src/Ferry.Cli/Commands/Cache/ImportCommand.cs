using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Kv.Text;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache import</c></summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A file that 'ferry cache export' wrote." };
        var admin = new AdminOptions();
        var command = new FerryCommand("import", "Read records from a file into a running exchange; what is there is skipped, so a broken import is simply run again.",
            new CommandExample("ferry cache import kv.ferry", "into memory, and from there into the tiers"))
        { file };
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            var output = result.InvocationConfiguration.Output;
            await using var source = Open(result.GetValue(file)!);
            System.Text.Json.Nodes.JsonObject? answer = null;
            await WorkProgress.RunAsync("import", output, async report =>
            {
                using var content = new StreamContent(new CountedStream(source, read => report(read, source.Length, ByteSize.Format(read))), 1 << 20);
                answer = await client.AskAsync(HttpMethod.Post, "v1/import", cancellationToken, content);
            });
            output.WriteLine(admin.IsJson(result) ? answer!.ToJsonString(JsonOutput.Format)
                : $"{answer!["imported"]} records, {ByteSize.Format(answer["bytes"]!.GetValue<long>())} imported; {answer["present"]} were there.");
            return FerryCommandLine.Done;
        });
        return command;
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"{path} cannot be read: {exception.Message}");
        }
    }
}
