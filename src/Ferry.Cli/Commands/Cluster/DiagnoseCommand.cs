using System.CommandLine;
using System.Text.Json.Nodes;
using Ferry.Cli.Help;
using Ferry.Cluster.Containers;
using Ferry.Cluster.Diagnosis;
using Ferry.Kv.Text;

namespace Ferry.Cli.Commands.Cluster;

/// <summary><c>ferry diagnose</c>: what logs and metrics say is wrong, why, and what to do.</summary>
internal static class DiagnoseCommand
{
    private const string Stdin = "-";

    private static readonly TimeSpan MetricsTimeout = TimeSpan.FromSeconds(15);

    private static readonly IReadOnlyList<CommandExample> Examples =
    [
        new("ferry diagnose prefill.log decode.log.gz", "Two nodes' logs together: causes first, then what they explain"),
        new("docker logs --timestamps vllm-decode-gaudi3 2>&1 | ferry diagnose -", "From a pipe"),
        new("ferry diagnose --container vllm-prefill-mi300x --container vllm-decode-gaudi3", "The logs of running or ended containers"),
        new("ferry diagnose --url http://prefill:8000 --url http://decode:8001 --url http://router:9000", "What the metrics say: transfers that failed, leases that ran out, no KV moved"),
        new("ferry diagnose --explain DIAG-NIXL-08", "One entry of the table; --list shows all"),
    ];

    public static Command Create()
    {
        var logs = new Argument<string[]>("log") { Description = "Log files, plain or gzip; - for standard input", Arity = ArgumentArity.ZeroOrMore };
        var containers = new Option<string[]>("--container") { Description = "Container of a Docker engine whose log to read", HelpName = "name", AllowMultipleArgumentsPerToken = false };
        var docker = new Option<string?>("--docker") { Description = "Its engine: unix://PATH, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT [default: DOCKER_HOST, else the local socket]", HelpName = "address" };
        var pods = new Option<string[]>("--pod") { Description = "Kubernetes pod whose log to read; POD/CONTAINER for one of several containers", HelpName = "name" };
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Namespace of the pods [default: kubeconfig's]", HelpName = "name" };
        var context = new Option<string?>("--context") { Description = "Context of kubeconfig", HelpName = "name" };
        var urls = new Option<string[]>("--url") { Description = "Node or router whose /metrics to judge", HelpName = "url" };
        var tail = new Option<int?>("--tail") { Description = "Only that many lines from the end of a container's or pod's log", HelpName = "lines" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var list = new Option<bool>("--list") { Description = "Print the table of what is known" };
        var explain = new Option<string?>("--explain") { Description = "Print one entry of the table", HelpName = "id" };
        var command = new FerryCommand("diagnose", "Read logs and metrics of vLLM, LMCache, NIXL, UCX, Ceph, Redis and Ferry: causes ranked, with fix and missing evidence. Exit code 1 when something is wrong.", [.. Examples])
        {
            logs, containers, docker, pods, @namespace, context, urls, tail, json, list, explain,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var output = result.InvocationConfiguration.Output;
            if (result.GetValue(list) || result.GetValue(explain) is not null)
            {
                return Print(Entries(result.GetValue(explain)), result.GetValue(json), output);
            }
            var files = result.GetValue(logs) is { Length: > 0 } given ? given
                : (result.GetValue(containers)!.Length + result.GetValue(pods)!.Length + result.GetValue(urls)!.Length) > 0 ? []
                : Console.IsInputRedirected ? [Stdin] : throw new UsageException("give log files, --container, --pod or --url; or a log on standard input.");
            var diagnoser = new Diagnoser();
            await ReadFilesAsync(diagnoser, files, cancellationToken);
            await ReadContainersAsync(diagnoser, result.GetValue(docker), result.GetValue(containers)!, result.GetValue(tail), cancellationToken);
            await ReadPodsAsync(diagnoser, result.GetValue(context), result.GetValue(@namespace), result.GetValue(pods)!, result.GetValue(tail), cancellationToken);
            await ReadMetricsAsync(diagnoser, result.GetValue(urls)!, cancellationToken);
            return Print(diagnoser.Report(), result.GetValue(json), output);
        });
        return command;
    }

    private static IReadOnlyList<Signature> Entries(string? id)
    {
        if (id is null)
        {
            return SignatureTable.All;
        }
        return SignatureTable.Find(id) is { } found
            ? [found]
            : throw new UsageException($"--explain {id}: no such entry.{(NearestName.Find(id, SignatureTable.All.Select(entry => entry.Id)) is { } nearest ? $" Did you mean {nearest}?" : "")} --list shows all.");
    }

    private static async Task ReadFilesAsync(Diagnoser diagnoser, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        foreach (var file in files)
        {
            try
            {
                await using var stream = file == Stdin
                    ? Console.OpenStandardInput()
                    : new FileStream(file, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.SequentialScan, BufferSize = 0 });
                await diagnoser.ReadLogAsync(file == Stdin ? "stdin" : file, stream, cancellationToken);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                diagnoser.AddProblem($"{file}: {(Directory.Exists(file) ? "a directory; give its files." : exception.Message)}");
            }
        }
    }

    private static async Task ReadContainersAsync(Diagnoser diagnoser, string? endpoint, string[] containers, int? tail, CancellationToken cancellationToken)
    {
        if (containers.Length == 0)
        {
            return;
        }
        try
        {
            await using var engine = await DockerEngine.ConnectAsync(endpoint, cancellationToken);
            foreach (var container in containers)
            {
                await ReadAsync(diagnoser, container, () => engine.OpenLogAsync(container, tail, null, cancellationToken), cancellationToken);
            }
        }
        catch (ContainerException exception)
        {
            diagnoser.AddProblem(exception.Message);
        }
    }

    private static async Task ReadPodsAsync(Diagnoser diagnoser, string? context, string? @namespace, string[] pods, int? tail, CancellationToken cancellationToken)
    {
        if (pods.Length == 0)
        {
            return;
        }
        try
        {
            using var cluster = KubernetesPods.Connect(context, @namespace);
            foreach (var pod in pods)
            {
                var parts = pod.Split('/', 2);
                await ReadAsync(diagnoser, pod, () => cluster.OpenLogAsync(parts[0], parts.Length > 1 ? parts[1] : null, tail, null, cancellationToken), cancellationToken);
            }
        }
        catch (ContainerException exception)
        {
            diagnoser.AddProblem(exception.Message);
        }
    }

    private static async Task ReadAsync(Diagnoser diagnoser, string name, Func<Task<Stream>> open, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await open();
            await diagnoser.ReadLogAsync(name, stream, cancellationToken);
        }
        catch (Exception exception) when (exception is ContainerException or IOException or HttpRequestException)
        {
            diagnoser.AddProblem(exception is ContainerException ? exception.Message : $"{name}: {exception.Message}");
        }
    }

    private static async Task ReadMetricsAsync(Diagnoser diagnoser, IReadOnlyList<string> urls, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = MetricsTimeout, MaxResponseContentBufferSize = Diagnoser.MetricPageBytesMax };
        foreach (var url in urls)
        {
            if (!Uri.TryCreate(url.Contains("://", StringComparison.Ordinal) ? url : "http://" + url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                throw new UsageException($"--url '{url}' is no address; give http://HOST:PORT.");
            }
            var page = address.AbsolutePath == "/" ? new Uri(address, "/metrics") : address;
            try
            {
                diagnoser.ReadMetrics(page.ToString(), await http.GetStringAsync(page, cancellationToken));
            }
            catch (Exception exception) when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                diagnoser.AddProblem($"{page}: {(exception is TaskCanceledException ? $"no answer within {MetricsTimeout.TotalSeconds} s" : exception.GetBaseException().Message)}");
            }
        }
    }

    private static int Print(DiagnosisReport report, bool asJson, TextWriter output)
    {
        if (asJson)
        {
            output.WriteLine(DiagnosisJson.Of(report).ToJsonString(JsonOutput.Format));
        }
        else
        {
            DiagnosisText.Write(report, TerminalConsole.Create(output));
        }
        // What could not be read is not healthy.
        return report.Causes.Any(cause => cause.Signature.Severity > SignatureSeverity.Hint) || report.Problems.Count > 0 ? FerryCommandLine.Failed : FerryCommandLine.Done;
    }

    private static int Print(IReadOnlyList<Signature> entries, bool asJson, TextWriter output)
    {
        if (asJson)
        {
            output.WriteLine(new JsonArray([.. entries.Select(entry => (JsonNode)DiagnosisJson.Of(entry))]).ToJsonString(JsonOutput.Format));
            return FerryCommandLine.Done;
        }
        var console = TerminalConsole.Create(output);
        foreach (var entry in entries)
        {
            DiagnosisText.Write(entry, console);
            output.WriteLine();
        }
        return FerryCommandLine.Done;
    }
}
