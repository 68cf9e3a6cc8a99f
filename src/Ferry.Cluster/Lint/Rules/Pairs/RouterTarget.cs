using System.Globalization;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The router's targets are not the servers' addresses.</summary>
internal sealed class RouterTarget : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR024",
        Severity = LintSeverity.Error,
        Title = "The router's targets are not the servers' addresses",
        Why = "A router that sends prompts to a port where no server of that role listens answers 502, or (prefill and decode swapped) computes " +
            "every prompt on the wrong chips.",
        Symptom = "`connection refused`; or nothing is transferred because the decode node prefills.",
        Fix = "Name each server's --port in the router's list of its role.",
        Versions = "every version",
        Sources = ["vLLM tests/v1/kv_connector/nixl_integration/toy_proxy_server.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8001 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            python toy_proxy_server.py --port 9000 --prefiller-hosts 10.0.0.1 --prefiller-ports 8000 --decoder-hosts 10.0.0.2 --decoder-ports 8001
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8001 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            python toy_proxy_server.py --port 9000 --prefiller-hosts 10.0.0.1 --prefiller-ports 8000 --decoder-hosts 10.0.0.2 --decoder-ports 8000
            """),
    };

    private static readonly string[] PrefillFlags = ["--prefill", "--prefiller-ports", "--prefiller-port", "--prefill-url"];
    private static readonly string[] DecodeFlags = ["--decode", "--decoder-ports", "--decoder-port", "--decode-url"];

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var router in cluster.Processes.Where(process => process.Kind is ProcessKind.Router or ProcessKind.FerryRoute))
        {
            CheckTargets(cluster, router, PrefillFlags, ProcessRole.Prefill, findings);
            CheckTargets(cluster, router, DecodeFlags, ProcessRole.Decode, findings);
        }
    }

    private void CheckTargets(ObservedCluster cluster, ObservedProcess router, string[] names, ProcessRole role, FindingSink findings)
    {
        ObservedProcess[] engines = [.. cluster.Engines.Where(engine => engine.Group == router.Group && engine.Role == role)];
        // A Service or a bridge may translate ports; then the files do not show where a target leads.
        if (engines.Length == 0 || engines.Any(engine => engine.Port is null || engine.Kubernetes is not null || engine.Container is { IsHostNetwork: false, Ports.Count: 0 })) { return; }
        HashSet<int> ports = [.. engines.Select(engine => engine.Port!.Value), .. engines.SelectMany(engine => engine.Container?.Ports ?? []).Select(port => port.HostPort).OfType<int>()];
        foreach (var flag in router.Arguments.Flags.Where(flag => names.Contains(flag.Key) && flag.Value is { HasUnknown: false }))
        {
            if (PortOf(flag.Value!) is not { } port || ports.Contains(port)) { continue; }
            var listen = string.Join(", ", engines.Select(engine => $"{engine.Name} on {engine.Port!.Value.ToString(CultureInfo.InvariantCulture)}"));
            findings.Report(Info, flag.Value!.Span, $"{router.Name} sends {(role == ProcessRole.Prefill ? "prefill" : "decode")} requests to port {port}, but {listen} {(engines.Length == 1 ? "listens" : "listen")}.",
                engines.Length == 1 && int.TryParse(flag.Value.Value, out _) ? Edits.Replace(flag.Value, engines[0].Port!.Value.ToString(CultureInfo.InvariantCulture)) : []);
        }
    }

    private static int? PortOf(SourcedText target) =>
        int.TryParse(target.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port
        : Uri.TryCreate(target.Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url.Port : null;
}
