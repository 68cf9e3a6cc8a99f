using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides keep KV in different dtypes.</summary>
internal sealed class KvDType : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR003",
        Severity = LintSeverity.Error,
        Title = "The two sides keep KV in different dtypes",
        Why = "A consumer reads its peer's bytes as its own dtype. MI300X's fp8 is e4m3fnuz (largest 240), Gaudi3's is e4m3fn (largest 448): " +
            "the same code is another number, and a scale that is twice the other. LMCache's MP keys hold no dtype, so the mix is found by " +
            "nobody.",
        Symptom = "`NIXL compatibility hash mismatch`; LMCache in-process: 0 hits; LMCache MP: wrong tokens.",
        Fix = "Use --kv-cache-dtype auto with --dtype bfloat16 on both sides; across vendors fp8 KV needs a conversion.",
        Versions = "every version",
        Sources = ["vLLM docs/features/nixl_connector_compatibility.md", "LMCache lmcache/v1/distributed/api.py (ObjectKey)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype auto \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype auto \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype fp8 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype auto \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = pair.Prefill.KvCacheDType();
        var decode = pair.Decode.KvCacheDType();
        if (prefill is { HasUnknown: true } || decode is { HasUnknown: true }) { return false; }
        var span = decode?.Span ?? pair.Decode.Model?.Span ?? pair.Decode.HeadSpan;
        if ((prefill?.Value ?? "auto") != (decode?.Value ?? "auto") && !(pair.Prefill.HasFp8Kv() && pair.Decode.HasFp8Kv()))
        {
            findings.Report(Info, span, $"KV is kept as {decode?.Value ?? "auto"} here and as {prefill?.Value ?? "auto"} on {pair.Prefill.Label()} ({(prefill?.Span ?? pair.Prefill.HeadSpan).SeenFrom(pair.Decode)}). Write the same --kv-cache-dtype on both.");
            return true;
        }
        if (!pair.Prefill.HasFp8Kv() || !pair.IsCrossVendor) { return false; }
        findings.Report(Info, span, $"fp8 KV is {Variant(pair.Decode)} on {pair.Decode.Accelerator.Name} and {Variant(pair.Prefill)} on {pair.Prefill.Accelerator.Name}: the same bits are other numbers. Write --kv-cache-dtype auto on both.");
        return true;
    }

    private static string Variant(ObservedProcess engine) => engine.Accelerator.Kind == AcceleratorKind.Rocm ? "e4m3fnuz (gfx94x)" : "e4m3fn";
}
