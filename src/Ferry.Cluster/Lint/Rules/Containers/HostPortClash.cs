using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>Two servers of one host want the same port.</summary>
internal sealed class HostPortClash : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR007",
        Severity = LintSeverity.Error,
        Title = "Two servers of one host want the same port",
        Why = "With the host's network every listener of every container shares one set of ports: API, side channel, KV events, LMCache's " +
            "servers.",
        Symptom = "`OSError: [Errno 98] Address already in use`; or the side channel never becomes ready.",
        Fix = "Give each server its own port.",
        Versions = "every version",
        Sources = ["vLLM vllm/envs.py (VLLM_NIXL_SIDE_CHANNEL_PORT)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 -e VLLM_NIXL_SIDE_CHANNEL_PORT=5600 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 -e VLLM_NIXL_SIDE_CHANNEL_PORT=8000 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        HashSet<SourceFile> compose = [.. cluster.Documents.Where(document => document.Kind == DocumentKind.Compose).Select(document => document.Root.Span.File)];
        foreach (var process in cluster.Processes)
        {
            Report([process], LintSeverity.Error, "", findings);
        }
        // What shares the host's network shares its ports. One compose file is one host; the commands of one script may be meant for several.
        foreach (var host in cluster.Processes.Where(process => process.Kubernetes is null && (process.Container?.IsHostNetwork ?? true)).GroupBy(process => HostOf(process, compose)))
        {
            if (host.Key.File is null) { continue; }
            var isOneHost = compose.Contains(host.Key.File) || host.First().Host is not null;
            Report([.. host], isOneHost ? LintSeverity.Error : LintSeverity.Warning, isOneHost ? "" : " if both run on one host", findings);
        }
    }

    private void Report(ObservedProcess[] processes, LintSeverity severity, string condition, FindingSink findings)
    {
        var taken = new Dictionary<long, (string What, ObservedProcess Owner)>();
        foreach (var process in processes)
        {
            foreach (var (what, port, span) in Listeners(process))
            {
                if (taken.TryAdd(port, (what, process))) { continue; }
                // A clash within a process is told once, with its own severity.
                if (processes.Length > 1 && ReferenceEquals(taken[port].Owner, process)) { continue; }
                findings.Report(Info, severity, span, $"port {port} is {what} and also {taken[port].What}{condition}. Give each its own port.");
            }
        }
    }

    /// <summary>Processes of one key share a host, as far as their files say; a page's commands are for whoever copies them.</summary>
    private static (SourceFile? File, AcceleratorKind Accelerator, string Address) HostOf(ObservedProcess process, HashSet<SourceFile> compose)
    {
        var file = process.Span.File;
        if (process.Host is { } machine) { return (file, AcceleratorKind.Unknown, machine); }
        if (compose.Contains(file)) { return (file, AcceleratorKind.Unknown, ""); }
        if (!file.Path.EndsWith(".sh", StringComparison.OrdinalIgnoreCase)) { return (null, AcceleratorKind.Unknown, ""); }
        var address = process.Environment.Value(SideChannel.HostVariable)?.Value ?? process.Arguments.Value("--host")?.Value ?? "";
        return (file, process.Accelerator.Kind, SideChannel.IsAny(address) ? "" : address);
    }

    private static IEnumerable<(string What, long Port, SourceSpan Span)> Listeners(ObservedProcess process)
    {
        if (process.Port is { } port) { yield return ($"the API port of {process.Name}", port, process.Arguments.Flag("--port")?.Span ?? process.HeadSpan); }
        if (process.UsesNixl() && SideChannel.PortOf(process) is { } side)
        {
            yield return ($"the side channel of {process.Name}", side, process.Environment.Find(SideChannel.PortVariable)?.Span ?? process.TransferSpan());
        }
    }
}
