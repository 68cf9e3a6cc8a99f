using System.CommandLine;
using System.Text.Json.Nodes;
using Ferry.Cache.Remote.Hosting.Operations;
using Ferry.Cli.Help;
using Ferry.Kv.Text;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache export</c></summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "File to write; it is there whole or not at all." };
        var tier = CacheSubcommands.TierOption("One tier; every record of all tiers, once, if left out.");
        var prefix = new Option<string?>("--prefix") { Description = "Only clients' keys that begin so." };
        var admin = new AdminOptions();
        var command = new FerryCommand("export", "Write records into a file: checksummed, and read back by 'ferry cache import'.",
            new CommandExample("ferry cache export kv.ferry", "everything"),
            new CommandExample("ferry cache export memory.ferry --tier memory", "what is in memory"))
        { file, tier, prefix };
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            var output = result.InvocationConfiguration.Output;
            var path = result.GetValue(file)!;
            var check = new ExportCheck();
            using var response = await client.AskBytesAsync("v1/export" + CacheSubcommands.Query(("tier", result.GetValue(tier)), ("prefix", result.GetValue(prefix))), cancellationToken);
            await PartFile.WriteAsync(path, target => WorkProgress.RunAsync("export", output, async report =>
            {
                await using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
                if (await check.CopyAsync(source, target, () => report(0, null, $"{check.Records} records, {ByteSize.Format(check.Bytes)}"), cancellationToken) is { } error)
                {
                    throw new AdminClientException($"{path} was not written: {error}");
                }
            }));
            output.WriteLine(admin.IsJson(result)
                ? new JsonObject { ["records"] = check.Records, ["bytes"] = check.Bytes, ["file"] = path }.ToJsonString(JsonOutput.Format)
                : $"{check.Records} records, {ByteSize.Format(check.Bytes)} in {path}.");
            return FerryCommandLine.Done;
        });
        return command;
    }
}
