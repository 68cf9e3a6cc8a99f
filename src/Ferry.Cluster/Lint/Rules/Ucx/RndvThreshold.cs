using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_RNDV_THRESH overrides what NIXL needs.</summary>
internal sealed class RndvThreshold : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX019",
        Severity = LintSeverity.Warning,
        Title = "UCX_RNDV_THRESH overrides what NIXL needs",
        Why = "NIXL sets RNDV_THRESH=inf unless the variable is set. With any other value and peer error handling UCX silently replaces zero- " +
            "copy by software emulation, 4 to 7 times slower.",
        Symptom = "UCX_PROTO_INFO=y shows software emulation instead of zero-copy.",
        Fix = "Take UCX_RNDV_THRESH out (or set it to inf).",
        Versions = "UCX 1.16 and later with NIXL",
        Sources = ["UCX src/ucp/wireup/select.c", "NIXL #53"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=tcp,sm,self -e UCX_RNDV_THRESH=inf \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=tcp,sm,self -e UCX_RNDV_THRESH=8192 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.UsesNixl() || engine.Environment.Value("UCX_RNDV_THRESH") is not { HasUnknown: false } value || value.Value.Contains(':', StringComparison.Ordinal) || value.Value is "inf" or "auto") { return; }
        findings.Report(Info, value.Span, $"UCX_RNDV_THRESH={value.Value} replaces the inf that NIXL would set, and UCX then emulates in software what it could copy directly. Take it out, or write inf.", Edits.Replace(value, "inf"));
    }
}
