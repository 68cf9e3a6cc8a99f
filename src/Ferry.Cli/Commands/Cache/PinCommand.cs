using System.CommandLine;
using System.Globalization;
using Ferry.Cli.Help;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache pin</c></summary>
internal static class PinCommand
{
    public static Command Create()
    {
        var key = CacheSubcommands.KeyArgument();
        var soft = new Option<bool>("--soft") { Description = "Evicted last instead of never." };
        var release = new Option<bool>("--release") { Description = "End the pin." };
        var ttl = new Option<long>("--ttl") { Description = "Seconds until the pin ends by itself.", DefaultValueFactory = _ => 3600 };
        var admin = new AdminOptions();
        var command = new FerryCommand("pin", "Keep a key's records in memory for a time.",
            new CommandExample("ferry cache pin 'meta-llama/Llama-3.1-70b@4@0@1f2e@bfloat16' --ttl 600", "for ten minutes, whatever else comes"))
        { key, soft, release, ttl };
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            var path = result.GetValue(release)
                ? "v1/unpin" + CacheSubcommands.Query(("key", result.GetValue(key)))
                : "v1/pin" + CacheSubcommands.Query(("key", result.GetValue(key)), ("kind", result.GetValue(soft) ? "soft" : "hard"), ("ttl", result.GetValue(ttl).ToString(CultureInfo.InvariantCulture)));
            var answer = await client.AskAsync(HttpMethod.Post, path, cancellationToken);
            result.InvocationConfiguration.Output.WriteLine(admin.IsJson(result) ? answer.ToJsonString(JsonOutput.Format)
                : answer["unpinned"] is { } unpinned ? $"{unpinned} pins ended." : $"pinned ({answer["kind"]}) for {answer["ttl_seconds"]} s.");
            return FerryCommandLine.Done;
        });
        return command;
    }
}
