using System.CommandLine;
using System.Text.Json.Nodes;
using Ferry.Cli.Help;
using Ferry.Kv.Text;

namespace Ferry.Cli.Commands.Cache;

/// <summary><c>ferry cache verify</c></summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var tier = CacheSubcommands.TierOption("Tier of a running exchange: disk, s3, redis or directory; its first one if left out.");
        var disk = new Option<string?>("--disk") { Description = "Directory of a disk tier that no exchange uses now: verified without one." };
        var remote = new Option<string?>("--remote") { Description = "URL of a shared tier: verified without an exchange." };
        var drop = new Option<bool>("--drop") { Description = "Delete what is damaged, as a read of it would." };
        var admin = new AdminOptions();
        var command = new FerryCommand("verify", "Read every record of a tier and prove its checksums.",
            new CommandExample("ferry cache verify --tier s3", "the bucket of a running exchange"),
            new CommandExample("ferry cache verify --disk /var/lib/ferry", "a directory after a crash, before the exchange starts"))
        { tier, disk, remote, drop };
        admin.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            var console = result.InvocationConfiguration;
            try
            {
                var last = (result.GetValue(disk), result.GetValue(remote)) switch
                {
                    ({ } directory, null) => await OfflineVerify.RunAsync(await OfflineVerify.OpenDiskAsync(directory, cancellationToken), result.GetValue(drop), console.Output, cancellationToken),
                    (null, { } url) => await OfflineVerify.RunAsync(await OfflineVerify.OpenRemoteAsync(url), result.GetValue(drop), console.Output, cancellationToken),
                    (null, null) => await OnlineAsync(admin, result, "v1/verify" + CacheSubcommands.Query(("tier", result.GetValue(tier)), ("drop", result.GetValue(drop) ? "true" : null)), cancellationToken),
                    _ => throw new UsageException("--disk and --remote exclude each other; give one."),
                };
                return Report(last, admin.IsJson(result), console.Output);
            }
            catch (AdminClientException exception)
            {
                await console.Error.WriteLineAsync($"ferry cache verify: {exception.Message}");
                return FerryCommandLine.Failed;
            }
        });
        return command;
    }

    private static async Task<JsonObject> OnlineAsync(AdminOptions admin, ParseResult result, string path, CancellationToken cancellationToken)
    {
        using var client = admin.Connect(result);
        return await WorkProgress.FollowAsync("verify", client.AskLinesAsync(HttpMethod.Post, path, cancellationToken), "bytes", "bytes_total", result.InvocationConfiguration.Output);
    }

    private static int Report(JsonObject last, bool asJson, TextWriter output)
    {
        var damaged = last["damaged"]!.GetValue<long>();
        if (asJson)
        {
            output.WriteLine(last.ToJsonString(JsonOutput.Format));
            return damaged == 0 ? FerryCommandLine.Done : FerryCommandLine.Failed;
        }
        foreach (var one in last["named"]!.AsArray())
        {
            output.WriteLine($"damaged  {one!["location"]}: {one["reason"]}");
        }
        output.WriteLine($"{last["records"]} records, {ByteSize.Format(last["bytes"]!.GetValue<long>())} read; {(damaged == 0 ? "all are whole." : $"{damaged} are damaged.")}");
        return damaged == 0 ? FerryCommandLine.Done : FerryCommandLine.Failed;
    }
}
