using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>No router: the two servers never exchange KV.</summary>
internal sealed class MissingRouter : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR016",
        Severity = LintSeverity.Error,
        Title = "No router: the two servers never exchange KV",
        Why = "A producer gives blocks away only for a request that says so, and a consumer fetches only what kv_transfer_params of its request " +
            "name. Something must send each prompt to the prefill node first and hand its answer's kv_transfer_params to the decode node. Two " +
            "vllm serve processes alone are two separate servers.",
        Symptom = "Everything answers 200, no KV moves: vllm:nixl_bytes_transferred stays empty.",
        Fix = "Put a router in front that knows the connector: ferry route, llm-d's scheduler and sidecar, production-stack's router, or (for a " +
            "demonstration) vLLM's toy_proxy_server.py; clients talk to it alone.",
        Versions = "every version",
        Sources = ["vLLM docs/features/nixl_connector_usage.md", "KServe #5987", "vLLM #26896"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            python toy_proxy_server.py --port 9000 --prefiller-hosts 10.0.0.1 --prefiller-ports 8000 --decoder-hosts 10.0.0.2 --decoder-ports 8000
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        // A router given once may serve every set-up of a page.
        if (cluster.Processes.Any(process => process.Kind is ProcessKind.Router or ProcessKind.FerryRoute)) { return; }
        foreach (var pair in cluster.Pairs.DistinctBy(pair => pair.Prefill.Group))
        {
            var isHandOver = pair.Prefill.UsesNixl() || pair.Decode.UsesNixl() || pair.Prefill.LmCache.IsTrue("enable_pd", false);
            findings.Report(Info, isHandOver ? LintSeverity.Error : LintSeverity.Warning, pair.Prefill.HeadSpan,
                $"{pair.Prefill.Name} and {pair.Decode.Name} ({pair.Decode.HeadSpan.SeenFrom(pair.Prefill)}) have no router in front: {(isHandOver
                    ? "no request carries kv_transfer_params from one to the other, so no KV ever moves"
                    : "nothing sends a prompt to the prefill engine first")}. Add one, for instance: ferry route --prefill http://PREFILL:{Port(pair.Prefill)} --decode http://DECODE:{Port(pair.Decode)}.");
        }
    }

    private static string Port(ObservedProcess engine) => engine.Port?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "PORT";
}
