using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Kv.Text;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache stat</c></summary>
internal static class StatCommand
{
    public static Command Create()
    {
        var key = new Argument<string?>("KEY") { Description = "A client's key; the whole exchange if left out.", Arity = ArgumentArity.ZeroOrOne };
        var admin = new AdminOptions();
        var command = new FerryCommand("stat", "Say where a key's records are, or what the exchange holds and does.",
            new CommandExample("ferry cache stat", "the exchange"),
            new CommandExample("ferry cache stat 'meta-llama/Llama-3.1-70b@4@0@1f2e@bfloat16'", "one key"))
        { key };
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(key) is not { } name)
            {
                // The state is the same for people: names and numbers.
                output.WriteLine((await client.AskAsync(HttpMethod.Get, "state", cancellationToken)).ToJsonString(JsonOutput.Format));
                return FerryCommandLine.Done;
            }
            var stat = await client.AskAsync(HttpMethod.Get, "v1/stat" + CacheSubcommands.Query(("key", name)), cancellationToken);
            if (admin.IsJson(result))
            {
                output.WriteLine(stat.ToJsonString(JsonOutput.Format));
            }
            else
            {
                foreach (var place in stat["places"]!.AsArray())
                {
                    output.WriteLine($"{place!["tier"],-10} {ByteSize.Format(place["bytes"]!.GetValue<long>()),10}  {place["layout"]?.ToString() ?? place["location"]?.ToString()}{(place["pin"] is { } pin ? $"  pinned {pin}" : "")}");
                }
                output.WriteLine(stat["deliverable"]!.GetValue<bool>() ? "A client that asks for this key gets a value." : "A client that asks for this key gets a miss.");
            }
            return stat["deliverable"]!.GetValue<bool>() ? FerryCommandLine.Done : FerryCommandLine.Failed;
        });
        return command;
    }
}
