using System.CommandLine;
using Ferry.Cli.Help;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache clear</c></summary>
internal static class ClearCommand
{
    public static Command Create()
    {
        var tier = CacheSubcommands.TierOption("One tier; all if left out.");
        var salt = new Option<string?>("--salt") { Description = "Only the records of this cache salt." };
        var keepPinned = new Option<bool>("--keep-pinned") { Description = "Leave in memory what is pinned hard." };
        var yes = new Option<bool>("--yes") { Description = "Needed where more than memory would be lost." };
        var admin = new AdminOptions();
        var command = new FerryCommand("clear", "Drop records: of a tier, of a tenant, or all.",
            new CommandExample("ferry cache clear --tier memory", "memory alone; what lies below comes up again"),
            new CommandExample("ferry cache clear --salt tenant-a --yes", "everything of one tenant, in every tier"))
        { tier, salt, keepPinned, yes };
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            if (result.GetValue(tier) != "memory" && !result.GetValue(yes))
            {
                throw new UsageException("this drops records from disk or shared tiers for good; say --yes, or --tier memory.");
            }
            var path = "v1/clear" + CacheSubcommands.Query(("tier", result.GetValue(tier)), ("salt", result.GetValue(salt)), ("keep-pinned", result.GetValue(keepPinned) ? "true" : null));
            var answer = await client.AskAsync(HttpMethod.Post, path, cancellationToken);
            result.InvocationConfiguration.Output.WriteLine(admin.IsJson(result) ? answer.ToJsonString(JsonOutput.Format)
                : string.Join(", ", answer["removed"]!.AsObject().Select(pair => $"{pair.Key}: {pair.Value} records dropped")));
            return FerryCommandLine.Done;
        });
        return command;
    }
}
