using System.CommandLine;
using Ferry.Cli.Help;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache flush</c></summary>
internal static class FlushCommand
{
    public static Command Create()
    {
        var admin = new AdminOptions();
        var command = new FerryCommand("flush", "Wait until what is queued for disk and shared tiers is written.",
            new CommandExample("ferry cache flush", "before a machine is taken away: what was put up to now is where it belongs, or was given up"));
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            var answer = await client.AskAsync(HttpMethod.Post, "v1/flush", cancellationToken);
            result.InvocationConfiguration.Output.WriteLine(admin.IsJson(result) ? answer.ToJsonString(JsonOutput.Format)
                : answer["tiers"]!.AsObject() is { Count: > 0 } tiers ? string.Join(", ", tiers.Select(pair => $"{pair.Key}: {pair.Value!["written"]} records written, {pair.Value["failed"]} failed, since the start"))
                : "there is no tier to write to");
            return FerryCommandLine.Done;
        });
        return command;
    }
}
