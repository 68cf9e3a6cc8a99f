using System.Diagnostics;
using Ferry.Cli.Up;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;
using Ferry.Cluster.Spec;
using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Verification;

/// <summary>The processes that <c>ferry render --engine ferry</c> would start, started on loopback with the model that ships; each may have a fault planted.</summary>
internal sealed class LiveCluster : IAsyncDisposable
{
    /// <summary>What stands for every secret.</summary>
    public const string Secret = "0123456789abcdef";

    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(120);

    private readonly List<Process> _processes = [];

    private LiveCluster(ClusterSpec spec, string directory) => (Spec, Directory) = (spec, directory);

    public ClusterSpec Spec { get; }

    /// <summary>Logs and configuration files.</summary>
    public string Directory { get; }

    /// <summary>ferry.yaml of two nodes and a router on free ports of loopback.</summary>
    /// <param name="more">Further sections.</param>
    public static string Yaml(string more = "")
    {
        using var ports = new LoopbackPorts();
        return $$"""
            name: live
            model: { id: {{ServeNode.ModelDirectory}}, servedName: ferry-tiny, maxLength: 2048 }
            pools:
              - name: prefill
                role: prefill
                accelerator: mi300x
                engine: { kind: ferry, flags: ["--threads 1", "--kv-load always"] }
                tensorParallel: 2
                port: {{ports.Take(0)}}
                nodes: [{ name: prefill-0, address: 127.0.0.1 }]
              - name: decode
                role: decode
                accelerator: gaudi3
                engine: { kind: ferry, flags: ["--threads 1", "--kv-load always"] }
                port: {{ports.Take(0)}}
                nodes: [{ name: decode-0, address: 127.0.0.1 }]
            handover: { sideChannelPort: {{PortsInARow()}} }
            router: { port: {{ports.Take(0)}}, adminPort: {{ports.Take(0)}} }
            {{more}}
            """;
    }

    public static ClusterSpec Read(string yaml)
    {
        var reading = ClusterSpecFile.Read(yaml, "ferry.yaml");
        Assert.True(reading.Spec is not null, string.Join(Environment.NewLine, reading.Errors));
        return reading.Spec;
    }

    /// <param name="fault">Changes a process before it starts; null leaves it out.</param>
    public static async Task<LiveCluster> StartAsync(string yaml, Func<PlannedProcess, PlannedProcess?>? fault = null)
    {
        var cluster = new LiveCluster(Read(yaml), System.IO.Directory.CreateTempSubdirectory("ferry-live-").FullName);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(cluster.Directory, "ferry.yaml"), yaml);
            var plan = ClusterPlanner.Plan(new RenderRequest { Spec = cluster.Spec, Target = RenderTarget.Docker });
            PlannedProcess[] started = [.. plan.Processes.Select(process => fault is null ? process : fault(process)).OfType<PlannedProcess>()];
            // As the rendered scripts do: engines first, and the router once they answer.
            foreach (var kind in started.GroupBy(process => process.Kind).OrderBy(kind => kind.Key))
            {
                Array.ForEach([.. kind], cluster.Start);
                await Task.WhenAll(kind.Select(cluster.WaitReadyAsync));
            }
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private void Start(PlannedProcess planned)
    {
        // Its log goes to a file, as a service's would: ferry verify finds it there.
        var start = new ProcessStartInfo("sh") { RedirectStandardInput = true };
        string[] words =
        [
            "-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", Path.Combine(Directory, planned.Name + ".log"),
            "dotnet", "exec", typeof(NodeProcess).Assembly.Location, .. planned.Arguments.SelectMany(argument => argument.Words).Select(word => Local(planned, word)), "--stop-on-stdin-close",
        ];
        Array.ForEach(words, start.ArgumentList.Add);
        foreach (var variable in planned.Environment)
        {
            start.Environment[variable.Name] = variable.Secret is null ? variable.Text : $"{variable.Text}{Secret}{variable.Rest}";
        }
        _processes.Add(Process.Start(start)!);
    }

    /// <summary>A configuration file lies in the cluster's directory and not where a container would see it.</summary>
    private string Local(PlannedProcess planned, string word)
    {
        if (planned.Files.FirstOrDefault(file => file.ContainerPath == word) is not { } file)
        {
            return word;
        }
        var path = Path.Combine(Directory, file.Name);
        File.WriteAllText(path, file.Content);
        return path;
    }

    private async Task WaitReadyAsync(PlannedProcess planned)
    {
        using var http = new HttpClient();
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{planned.Health.Port}{planned.Health.Path}"));
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            if (TimeProvider.System.GetElapsedTime(started) > ReadyDeadline)
            {
                Assert.Fail($"{planned.Name} was not ready in time:{Environment.NewLine}{await File.ReadAllTextAsync(Path.Combine(Directory, planned.Name + ".log"))}");
            }
            await Task.Delay(50);
        }
    }

    /// <summary>The second node of a machine takes the port behind the first's.</summary>
    private static int PortsInARow()
    {
        using var ports = new LoopbackPorts();
        while (true)
        {
            var first = ports.Take(0);
            if (ports.Take(first + 1) == first + 1)
            {
                return first;
            }
        }
    }
}
