using Ferry.Cluster.Lint;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint;

/// <summary>What looks like a mistake and is none, or cannot be known.</summary>
public sealed class PrecisionTests
{
    private const string Nixl = """--kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'""";

    public static TheoryData<string, string, string> Scripts() => new()
    {
        { "a list in a variable is not judged", "UCX", "docker run --device=/dev/kfd -e UCX_TLS=$TRANSPORTS rocm/vllm:v0.20.0 vllm serve org/model" },
        { "a list passed by name is not judged", "UCX", "docker run --device=/dev/kfd -e UCX_TLS rocm/vllm:v0.20.0 vllm serve org/model" },
        { "a deny list keeps everything else", "UCX00", "docker run --device=/dev/kfd -e UCX_TLS=^cuda rocm/vllm:v0.20.0 vllm serve org/model" },
        { "all is every transport there is", "UCX00", "docker run --device=/dev/kfd -e UCX_TLS=all rocm/vllm:v0.20.0 vllm serve org/model" },
        { "CUDA transports on CUDA", "UCX001", "docker run --gpus all -e UCX_TLS=rc,cuda_copy,cuda_ipc,tcp,sm,self vllm/vllm-openai:v0.20.0 --model org/model" },
        { "CUDA transports on an accelerator that nothing names", "UCX001", "UCX_TLS=rc,cuda,tcp,sm,self vllm serve org/model" },
        { "a privileged container has every device", "UCX005", "docker run --privileged --device=/dev/kfd -e UCX_TLS=rc,tcp,sm,self rocm/vllm:v0.20.0 vllm serve org/model" },
        { "and every capability", "CTR005", "docker run --privileged --device=/dev/kfd -e UCX_TLS=rc,tcp,sm,self rocm/vllm:v0.20.0 vllm serve org/model" },
        { "ALL holds IPC_LOCK", "CTR005", "docker run --cap-add=ALL --device=/dev/kfd --device=/dev/infiniband -e UCX_TLS=rc,tcp,sm,self rocm/vllm:v0.20.0 vllm serve org/model" },
        { "tcp pins nothing", "CTR006", "docker run --device=/dev/kfd -e UCX_TLS=tcp,sm,self rocm/vllm:v0.20.0 vllm serve org/model" },
        { "groups by number", "CTR002", "docker run --device=/dev/kfd --device=/dev/dri --group-add 44 --group-add 109 rocm/vllm:v0.20.0 vllm serve org/model" },
        { "one script for two hosts", "CTR007", $"docker run --net=host --device=/dev/kfd -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 rocm/vllm:v0.20.0 vllm serve org/m {Nixl}\ndocker run --net=host --device=/dev/kfd -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 rocm/vllm:v0.20.0 vllm serve org/m {Nixl}" },
        { "unlike accelerators are on unlike hosts", "CTR007", "docker run --net=host --device=/dev/kfd rocm/vllm:v0.20.0 vllm serve org/m\ndocker run --net=host --runtime=habana vllm-gaudi:v0.20.0 vllm serve org/m" },
        { "a digest pins an image", "CTR011", "docker run rocm/vllm@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef vllm serve org/model" },
        { "a registry's port is no tag, and there is one", "CTR011", "docker run registry:5000/vllm:v0.20.0 vllm serve org/model" },
        { "a local path needs no token", "CTR012", "docker run -v /models:/models rocm/vllm:v0.20.0 vllm serve /models/meta-llama/Llama-3.1-8B" },
        { "a mounted cache may hold the model", "CTR012", "docker run -v /hf:/root/.cache/huggingface rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct" },
        { "one machine, two ports", "PAIR014", $"VLLM_NIXL_SIDE_CHANNEL_PORT=5600 vllm serve org/m --port 8100 {Nixl.Replace("consumer", "producer", StringComparison.Ordinal)} &\nVLLM_NIXL_SIDE_CHANNEL_PORT=5601 vllm serve org/m --port 8200 {Nixl} &" },
        { "one address, two ports, one vendor", "PAIR013", $"""
            docker run --net=host --device=/dev/kfd -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 -e VLLM_NIXL_SIDE_CHANNEL_PORT=5600 rocm/vllm:v0.20.0 vllm serve org/m --port 8100 {Nixl.Replace("consumer", "producer", StringComparison.Ordinal)}
            docker run --net=host --device=/dev/kfd -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 -e VLLM_NIXL_SIDE_CHANNEL_PORT=5601 rocm/vllm:v0.20.0 vllm serve org/m --port 8200 {Nixl}
            """ },
        { "a variable is another address on each node", "PAIR013", $"""
            docker run --net=host --device=/dev/kfd -e VLLM_NIXL_SIDE_CHANNEL_HOST=$NODE_IP rocm/vllm:v0.20.0 vllm serve org/m {Nixl.Replace("consumer", "producer", StringComparison.Ordinal)}
            docker run --net=host --runtime=habana -e VLLM_NIXL_SIDE_CHANNEL_HOST=$NODE_IP vllm-gaudi:v0.20.0 vllm serve org/m {Nixl}
            """ },
        { "a flag of tomorrow", "VLLM001", "vllm serve org/model --some-new-switch --another-new-value 3" },
        { "a known flag in underscores", "VLLM001", "vllm serve org/model --max_model_len 8192" },
        { "sizes in human form", "VLLM007", "vllm serve org/model --max-num-batched-tokens 8k" },
        { "an unknown model's memory is not known", "CAP", "docker run --name p-mi300x --ipc=host --device=/dev/kfd -e HIP_VISIBLE_DEVICES=0 rocm/vllm:v0.20.0 vllm serve org/model --max-num-seqs 4096 --max-model-len 131072" },
        { "ray spreads ranks over nodes", "CAP010", "docker run --device=/dev/kfd -e HIP_VISIBLE_DEVICES=0 rocm/vllm:v0.20.0 vllm serve org/model -tp 8 --distributed-executor-backend ray" },
        { "a reference is no credential", "SEC001", "docker run -e AWS_SECRET_ACCESS_KEY -e HF_TOKEN=$HF_TOKEN rocm/vllm:v0.20.0 vllm serve org/model --api-key $KEY" },
        { "token words that are no secrets", "SEC001", "docker run -e TOKENIZERS_PARALLELISM=false rocm/vllm:v0.20.0 vllm serve org/model --max-num-batched-tokens 8192 --tokenizer org/tokenizer" },
        { "bound to loopback", "SEC006", "vllm serve org/model --host 127.0.0.1" },
        { "published on loopback alone", "SEC006", "docker run -p 127.0.0.1:8000:8000 rocm/vllm:v0.20.0 vllm serve org/model" },
        { "a store on loopback", "SEC005", "docker run -e AWS_ENDPOINT_URL=http://127.0.0.1:9000 rocm/vllm:v0.20.0 vllm serve org/model" },
        { "the environment of another vendor on nobody's accelerator", "CTR010", "vllm serve org/model" },
        { "a router for the pair", "PAIR016", $"""
            docker run --name prefill --device=/dev/kfd rocm/vllm:v0.20.0 vllm serve org/m {Nixl.Replace("consumer", "producer", StringComparison.Ordinal)}
            docker run --name decode --device=/dev/kfd rocm/vllm:v0.20.0 vllm serve org/m {Nixl}
            ferry route --prefill http://10.0.0.1:8000 --decode http://10.0.0.2:8000
            """ },
    };

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Lint_OfWhatIsNoMistake_IsSilent(string why, string rule, string script)
    {
        var report = Examples.Lint(RuleExample.Shell(script));
        Assert.Empty(report.Findings.Where(finding => finding.Rule.Id.StartsWith("FERRY-" + rule, StringComparison.Ordinal)).Select(finding => $"{why}: {finding.Rule.Id} {finding.Message}"));
    }

    public static TheoryData<string, string, string> Manifests() => new()
    {
        { "an address from the downward API", "PAIR014", "env: [{ name: VLLM_NIXL_SIDE_CHANNEL_HOST, valueFrom: { fieldRef: { fieldPath: status.podIP } } }]" },
        { "a Secret that lives outside of the files", "K8S007", "env: [{ name: HF_TOKEN, valueFrom: { secretKeyRef: { name: hf, key: token } } }]" },
        { "an RDMA resource is the device", "UCX005", "env: [{ name: UCX_TLS, value: 'rc,tcp,sm,self' }]\n      resources: { limits: { amd.com/gpu: 1, rdma/hca: 1 } }" },
        { "partitions of a vendor's device", "K8S001", "resources: { limits: { amd.com/cpx_nps4: 8 } }" },
        { "ulimits are the node's", "CTR006", "env: [{ name: UCX_TLS, value: 'rc,tcp,sm,self' }]\n      resources: { limits: { amd.com/gpu: 1 } }" },
    };

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Lint_OfAManifestWithoutThatMistake_IsSilent(string why, string rule, string part)
    {
        var report = Examples.Lint(RuleExample.Kubernetes($$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: decode }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "org/model"]
                  args: ["--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}']
            """ + "\n      " + part + "\n"));
        Assert.StartsWith("1 decode engine", report.Summary, StringComparison.Ordinal);
        Assert.Empty(report.Findings.Where(finding => finding.Rule.Id.StartsWith("FERRY-" + rule, StringComparison.Ordinal)).Select(finding => $"{why}: {finding.Rule.Id} {finding.Message}"));
    }
}
