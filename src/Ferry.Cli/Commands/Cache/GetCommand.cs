using System.CommandLine;
using Ferry.Cli.Help;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache get</c></summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var key = CacheSubcommands.KeyArgument();
        var file = new Option<string?>("--output", "-o") { Description = "File for the value; standard output if left out." };
        var admin = new AdminOptions();
        var command = new FerryCommand("get", "Get the value that a client would get under a key.",
            new CommandExample("ferry cache get 'meta-llama/Llama-3.1-70b@4@0@1f2e@bfloat16' -o shard.bin", "a shard's bytes"))
        { key, file };
        CacheSubcommands.SetAction(command, admin, async (result, client, cancellationToken) =>
        {
            using var response = await client.AskBytesAsync("v1/value" + CacheSubcommands.Query(("key", result.GetValue(key))), cancellationToken);
            await using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
            if (result.GetValue(file) is not { } path)
            {
                await using var standard = Console.OpenStandardOutput();
                await source.CopyToAsync(standard, cancellationToken);
                return FerryCommandLine.Done;
            }
            await PartFile.WriteAsync(path, target => source.CopyToAsync(target, cancellationToken));
            if (admin.IsJson(result))
            {
                result.InvocationConfiguration.Output.WriteLine($"{{\"bytes\": {new FileInfo(path).Length}}}");
            }
            return FerryCommandLine.Done;
        });
        return command;
    }
}
