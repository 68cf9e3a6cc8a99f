using System.CommandLine;
using System.Text.Json.Nodes;
using Ferry.Cli.Help;
using Ferry.Cluster.Containers;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Verification;
using Ferry.Kv.Settings;
using Ferry.Kv.Text;

namespace Ferry.Cli.Commands.Cluster;

/// <summary><c>ferry verify</c>: what is so in a live cluster, against what ferry.yaml says.</summary>
internal static class VerifyCommand
{
    /// <summary>Nothing was verified: the same as a probe that could not find out.</summary>
    private const int NothingVerified = (int)ProbeVerdict.Inconclusive;

    private static readonly IReadOnlyList<CommandExample> Examples =
    [
        new("ferry verify -f ferry.yaml", "Containers started by what `ferry render docker` wrote, on the engines that each node's docker key names"),
        new("ferry verify -f ferry.yaml --access kubernetes --context prod", "Pods"),
        new("ferry verify -f ferry.yaml --access local", "Processes of this machine, found by their ports"),
        new("ferry verify -f ferry.yaml --access http --only health,models,proof-of-transfer --json", "From outside, for a program"),
        new("ferry verify -f ferry.yaml --container prefill-0=vllm-prefill-mi300x --container decode-0=vllm-decode-gaudi3", "Containers that have other names"),
    ];

    public static Command Create()
    {
        var file = new Option<string>("--file", "-f") { Description = "The cluster's description", HelpName = "ferry.yaml", DefaultValueFactory = _ => "ferry.yaml" };
        var access = new Option<string>("--access") { Description = "docker, kubernetes, local (processes of this machine) or http", HelpName = "way", DefaultValueFactory = _ => "docker" };
        var docker = new Option<string?>("--docker") { Description = "Engine of nodes without a docker key: unix://PATH, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT [default: DOCKER_HOST, else the local socket]", HelpName = "address" };
        var containers = new Option<string[]>("--container") { Description = "PROCESS=CONTAINER where the container's name is not the rendered one", HelpName = "pair" };
        var context = new Option<string?>("--context") { Description = "Context of kubeconfig", HelpName = "name" };
        var router = new Option<string?>("--router") { Description = "Router to ask [default: that of ferry.yaml]", HelpName = "url" };
        var only = new Option<string[]>("--only") { Description = $"Only these probes, with commas: {string.Join(", ", Verifier.Probes.Select(probe => probe.Id))}", HelpName = "probes" };
        var skip = new Option<string[]>("--skip") { Description = "Not these probes", HelpName = "probes" };
        var engine = new Option<string?>("--engine") { Description = "ferry: the cluster was rendered with --engine ferry", HelpName = "kind" };
        var keys = new Option<string?>("--api-key-env") { Description = "Variable of this process that holds the API key", HelpName = "variable" };
        var tokens = new Option<int>("--proof-tokens") { Description = "About how many tokens the prompt of the proof of transfer has", HelpName = "tokens", DefaultValueFactory = _ => 1024 };
        var logs = new Option<string?>("--log-since") { Description = "How far back logs are read, such as 10m or 2h [default: to the start of each process]", HelpName = "time" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new FerryCommand("verify", "Check a live cluster: environments, health, versions, side channels, RDMA, storage, clocks, logs, and one request whose KV is proven to move. Exit code 0 all passed, 1 a violation, 2 something could not be found out, 3 something cannot be probed this way.", [.. Examples])
        {
            file, access, docker, containers, context, router, only, skip, engine, keys, tokens, logs, json,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
            var options = new VerifyOptions
            {
                Access = AccessOf(result.GetValue(access)!),
                Docker = result.GetValue(docker),
                KubernetesContext = result.GetValue(context),
                Containers = Pairs(result.GetValue(containers)!),
                Only = ProbesOf("--only", result.GetValue(only)!),
                Skip = ProbesOf("--skip", result.GetValue(skip)!),
                Router = result.GetValue(router) is { } url ? AddressOf(url) : null,
                ApiKeyVariable = result.GetValue(keys),
                EngineFerry = result.GetValue(engine) switch { null or "vllm" => false, "ferry" => true, var other => throw new UsageException($"--engine '{other}' is unknown; it is ferry or vllm.") },
                LogWindow = result.GetValue(logs) is not { } window ? null
                    : SettingValue.TryDuration(window, out var length) && length >= TimeSpan.FromSeconds(1) && length <= TimeSpan.FromDays(3650) ? length
                    : throw new UsageException($"--log-since is '{window}'; it must be a time from 1s to 3650d, such as 10m or 2h."),
                ProofTokens = result.GetValue(tokens) is >= 16 and <= 1_000_000 and var count ? count : throw new UsageException($"--proof-tokens is {result.GetValue(tokens)}; it must lie in 16..1000000."),
            };
            if (SpecReport.TryLoad(result.GetValue(file)!, error) is not { } spec)
            {
                return NothingVerified;
            }
            try
            {
                var view = new VerifyView(TerminalConsole.Create(output), result.GetValue(json));
                var report = await view.RunAsync(progress => Verifier.RunAsync(spec, options, TimeProvider.System, progress, cancellationToken));
                if (result.GetValue(json))
                {
                    output.WriteLine(Json(report).ToJsonString(JsonOutput.Format));
                }
                else
                {
                    view.Write(report);
                }
                return report.ExitCode;
            }
            catch (RenderException exception)
            {
                error.WriteLine($"ferry verify: {result.GetValue(file)} makes no cluster:");
                foreach (var reason in exception.Errors)
                {
                    error.WriteLine($"  {reason}");
                }
                return NothingVerified;
            }
            catch (ContainerException exception)
            {
                error.WriteLine($"ferry verify: {exception.Message}");
                return NothingVerified;
            }
        });
        return command;
    }

    private static VerifyAccess AccessOf(string name) => Enum.TryParse<VerifyAccess>(name, ignoreCase: true, out var access) && Enum.IsDefined(access) && !char.IsAsciiDigit(name[0])
        ? access
        : throw new UsageException($"--access '{name}' is unknown; it is docker, kubernetes, local or http.{(NearestName.Find(name, ["docker", "kubernetes", "local", "http"]) is { } nearest ? $" Did you mean {nearest}?" : "")}");

    private static Dictionary<string, string> Pairs(IReadOnlyList<string> given)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in given)
        {
            var parts = pair.Split('=', 2);
            if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0 || !pairs.TryAdd(parts[0], parts[1]))
            {
                throw new UsageException($"--container '{pair}' is no pair, or a second one of its process; give PROCESS=CONTAINER.");
            }
        }
        return pairs;
    }

    private static string[] ProbesOf(string option, IReadOnlyList<string> given)
    {
        string[] names = [.. given.SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        foreach (var name in names.Where(name => Verifier.Probes.All(probe => probe.Id != name)))
        {
            var nearest = NearestName.Find(name, Verifier.Probes.Select(probe => probe.Id));
            throw new UsageException($"{option} '{name}': no such probe.{(nearest is null ? "" : $" Did you mean {nearest}?")} There are {string.Join(", ", Verifier.Probes.Select(probe => probe.Id))}.");
        }
        return names;
    }

    private static Uri AddressOf(string url) => Uri.TryCreate(url.Contains("://", StringComparison.Ordinal) ? url : "http://" + url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
        ? address
        : throw new UsageException($"--router '{url}' is no address; give http://HOST:PORT.");

    private static JsonObject Json(VerifyReport report) => new()
    {
        ["verdict"] = report.Verdict.ToString().ToLowerInvariant(),
        ["exitCode"] = report.ExitCode,
        ["results"] = new JsonArray([.. report.Results.Select(result => (JsonNode)new JsonObject
        {
            ["probe"] = result.Probe,
            ["target"] = result.Target,
            ["verdict"] = result.Verdict.ToString().ToLowerInvariant(),
            ["text"] = result.Text,
            ["fix"] = result.Fix,
            ["milliseconds"] = Math.Round(result.Elapsed.TotalMilliseconds, 1),
        })]),
    };
}
