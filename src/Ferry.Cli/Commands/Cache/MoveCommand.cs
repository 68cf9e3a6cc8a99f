using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Kv.Text;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache move</c></summary>
internal static class MoveCommand
{
    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "Tier to take from: memory, disk, s3, redis or directory.", Required = true };
        var to = new Option<string>("--to") { Description = "Tier to put into.", Required = true };
        var keep = new Option<bool>("--keep") { Description = "Copy: leave the records where they are, too." };
        var prefix = new Option<string?>("--prefix") { Description = "Only clients' keys that begin so." };
        var admin = new AdminOptions();
        var command = new FerryCommand("move", "Move or copy records from one tier to another.",
            new CommandExample("ferry cache move --from memory --to disk --keep", "before a restart, without waiting for eviction"),
            new CommandExample("ferry cache move --from disk --to s3", "hand a node's disk over to the fleet"))
        { from, to, keep, prefix };
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            var output = result.InvocationConfiguration.Output;
            var path = "v1/move" + CacheSubcommands.Query(
                ("from", result.GetValue(from)), ("to", result.GetValue(to)), ("prefix", result.GetValue(prefix)), ("keep", result.GetValue(keep) ? "true" : null));
            var last = await WorkProgress.FollowAsync("move", client.AskLinesAsync(HttpMethod.Post, path, cancellationToken), "records", "records_total", output);
            output.WriteLine(admin.IsJson(result) ? last.ToJsonString(JsonOutput.Format)
                : $"{last["records"]} records, {ByteSize.Format(last["bytes"]!.GetValue<long>())}; {last["refused"]} were not taken and stay, {last["unreadable"]} could not be read.");
            return last["refused"]!.GetValue<long>() + last["unreadable"]!.GetValue<long>() == 0 ? FerryCommandLine.Done : FerryCommandLine.Failed;
        });
        return command;
    }
}
