using System.CommandLine;
using Ferry.Cli.Help;

namespace Ferry.Cli.Commands.Cache;

/// <summary>The commands that look after a running exchange, one file each.</summary>
internal static class CacheSubcommands
{
    public static IEnumerable<Command> Create() =>
    [
        ListCommand.Create(), StatCommand.Create(), GetCommand.Create(), PinCommand.Create(), ClearCommand.Create(),
        FlushCommand.Create(), MoveCommand.Create(), VerifyCommand.Create(), ExportCommand.Create(), ImportCommand.Create(),
    ];

    /// <summary>Sets what a command does; refusals of the exchange end it with exit code 1 and the exchange's own words.</summary>
    public static void SetAction(FerryCommand command, AdminOptions admin, Func<ParseResult, AdminClient, CancellationToken, Task<int>> run)
    {
        admin.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                using var client = admin.Connect(result);
                return await run(result, client, cancellationToken);
            }
            catch (AdminClientException exception)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync($"ferry cache {command.Name}: {exception.Message}");
                if (exception.Body is { Count: > 1 } body && admin.IsJson(result))
                {
                    result.InvocationConfiguration.Output.WriteLine(body.ToJsonString(JsonOutput.Format));
                }
                return FerryCommandLine.Failed;
            }
        });
    }

    /// <summary>Words of a query, each escaped; null values are left out.</summary>
    public static string Query(params ReadOnlySpan<(string Name, string? Value)> words)
    {
        var pairs = new List<string>();
        foreach (var (name, value) in words)
        {
            if (value is not null)
            {
                pairs.Add($"{name}={Uri.EscapeDataString(value)}");
            }
        }
        return pairs.Count == 0 ? "" : "?" + string.Join('&', pairs);
    }

    /// <summary>A client's key: as 'ferry cache ls' shows it, other bytes as \xHH.</summary>
    public static Argument<string> KeyArgument() => new("KEY") { Description = "A client's key as 'ferry cache ls' shows it; bytes that are no ASCII as \\xHH." };

    public static Option<string?> TierOption(string description) => new("--tier") { Description = description };
}
