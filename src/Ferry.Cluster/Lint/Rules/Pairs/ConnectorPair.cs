using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides use different connectors.</summary>
internal sealed class ConnectorPair : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR018",
        Severity = LintSeverity.Error,
        Title = "The two sides use different connectors",
        Why = "Each connector has its own rendezvous and wire: NixlConnector does not read what LMCacheConnectorV1 offers, and pull does not " +
            "answer push.",
        Symptom = "`Got invalid KVTransferParams … will not utilize KVTransfer`; every prompt is computed twice.",
        Fix = "Use the same connector on both sides.",
        Versions = "every version",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/factory.py", "llm-d #355"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e PT_HPU_GPU_MIGRATION=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (pair.Prefill.KvTransfer is { Json: null } || pair.Decode.KvTransfer is { Json: null }) { return false; }
        var prefill = Names(pair.Prefill);
        var decode = Names(pair.Decode);
        if (prefill.Overlaps(decode) || (prefill.Count == 0 && decode.Count == 0)) { return false; }
        findings.Report(Info, decode.Count > 0 ? pair.Decode.TransferSpan() : pair.Decode.HeadSpan,
            $"{pair.Decode.Label()} uses {Text(decode)}, {pair.Prefill.Label()} ({pair.Prefill.TransferSpan().SeenFrom(pair.Decode)}) {Text(prefill)}: they do not meet. Use one connector on both.");
        return true;
    }

    private static HashSet<string> Names(ObservedProcess engine) => [.. (engine.KvTransfer?.Connectors ?? [])
        .Select(connector => connector.Find("kv_connector")?.TryString()).OfType<string>().Select(name => name == "NixlPullConnector" ? "NixlConnector" : name)];

    private static string Text(HashSet<string> names) => names.Count == 0 ? "no connector" : string.Join(" and ", names.Order(StringComparer.Ordinal));
}
