using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Kv.Settings;
using Ferry.Transfer.Host;

namespace Ferry.Cli.Commands.Transport;

/// <summary><c>ferry transport info</c></summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var tls = new Option<string?>("--ucx-tls") { Description = "Judge this value instead of the environment's UCX_TLS", HelpName = "list" };
        var command = new FerryCommand("info", "Say what this host has to carry KV with, what UCX_TLS selects of it, and what to put right. Exit code 1 if something must be.",
            new CommandExample("ferry transport info", "this host, with the UCX_TLS of this shell"),
            new CommandExample("ferry transport info --ucx-tls rc,rocm,sm,self", "another value, before it goes into a deployment"),
            new CommandExample("docker run --rm --net=host --device=/dev/infiniband IMAGE ferry transport info --json", "what a container would see, for a program"))
        { json, tls };
        command.SetAction(result =>
        {
            var report = HostReport.Read(result.GetValue(tls) ?? Environment.GetEnvironmentVariable("UCX_TLS"), ReadPreference(), new HostFiles(), UcxFacts.Read);
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(json))
            {
                HostReportJson.Write(report, output);
            }
            else
            {
                HostReportText.Write(report, output);
            }
            return report.Problems.Any(problem => problem.IsError) ? FerryCommandLine.Failed : FerryCommandLine.Done;
        });
        return command;
    }

    private static MediaPreference ReadPreference() => Environment.GetEnvironmentVariable(MediaPreferences.Variable) is not { Length: > 0 } text
        ? MediaPreference.Auto
        : MediaPreferences.TryParse(text) ?? throw new UsageException(
            $"{MediaPreferences.Variable} is '{text}'; it must be one of {string.Join(", ", MediaPreferences.Names)}.{NameHint.Of(text, MediaPreferences.Names)}");
}
