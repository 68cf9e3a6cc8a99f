using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides may compute in different dtypes.</summary>
internal sealed class ModelDType : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR002",
        Severity = LintSeverity.Warning,
        Title = "The two sides may compute in different dtypes",
        Why = "dtype is part of the handshake hash and of LMCache's keys, and KV bytes of another dtype are garbage. With --dtype auto each " +
            "vendor decides for itself: vllm-gaudi turns float16 and float32 models into bfloat16.",
        Symptom = "`NIXL compatibility hash mismatch`; LMCache: 0 hits.",
        Fix = "Write --dtype bfloat16 on both sides.",
        Versions = "every version",
        Sources = ["vllm-gaudi vllm_gaudi/platform.py", "vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/metadata.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --dtype bfloat16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --dtype bfloat16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --dtype float16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --dtype bfloat16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = Name(pair.Prefill.DType()?.Value);
        var decode = Name(pair.Decode.DType()?.Value);
        if (prefill == decode && (prefill != "auto" || !pair.IsCrossVendor)) { return false; }
        if (pair.Prefill.KvTransfer is null && pair.Decode.KvTransfer is null) { return false; }
        var isCertain = prefill != "auto" && decode != "auto";
        findings.Report(Info, isCertain ? LintSeverity.Error : LintSeverity.Warning, pair.Decode.DType()?.Span ?? pair.Decode.Model?.Span ?? pair.Decode.HeadSpan,
            $"dtype is {decode} here and {prefill} on {pair.Prefill.Label()} ({(pair.Prefill.DType()?.Span ?? pair.Prefill.HeadSpan).SeenFrom(pair.Decode)}){(isCertain ? "" : "; with auto each vendor's software decides for itself")}. Write --dtype bfloat16 on both.",
            [.. new[] { pair.Prefill.DType(), pair.Decode.DType() }.OfType<SourcedText>().Where(flag => flag.Value != "bfloat16").SelectMany(flag => Edits.Replace(flag, "bfloat16"))]);
        return true;
    }

    private static string Name(string? written) => written switch { null => "auto", "half" => "float16", "float" => "float32", _ => written };
}
