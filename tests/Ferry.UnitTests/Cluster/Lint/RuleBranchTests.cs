using Ferry.Cluster.Lint;
using Ferry.Cluster.Lint.Rules.Transfer;
using Ferry.Cluster.Reading;
using Ferry.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint;

/// <summary>Cases of rules that their pages do not show: other forms of the mistake, and how bad each is.</summary>
public sealed class RuleBranchTests
{
    private const string P = "docker run --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri";
    private const string D = "docker run --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3";
    private const string Give = """--kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'""";
    private const string Take = """--kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'""";

    public static TheoryData<string, LintSeverity, string> Scripts() => new()
    {
        { "FERRY-UCX001", LintSeverity.Error, $"{D} -e UCX_TLS=rc,rocm,sm,self vllm-gaudi:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX002", LintSeverity.Error, $"{P} -e UCX_TLS=roce,tcp,sm,self rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX002", LintSeverity.Error, $"{P} -e UCX_TLS=TCP,sm,self rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX005", LintSeverity.Error, $"{P} -e UCX_TLS=rc,sm,self rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX005", LintSeverity.Warning, $"{P} -e UCX_TLS=rc,tcp,sm,self rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX009", LintSeverity.Warning, $"{D} -e UCX_TLS=tcp,gaudi,sm,self vllm-gaudi:v0.20.0 vllm serve org/m {Take}" },
        { "FERRY-UCX010", LintSeverity.Error, $"{P} -e UCX_TLS=sm,^tcp rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX010", LintSeverity.Error, $"{P} -e UCX_TLS=all,tcp rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX010", LintSeverity.Error, $"{P} -e UCX_TLS= rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX011", LintSeverity.Warning, $"{P} -e UCX_NET_DEVICES=mlx5_0 rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX011", LintSeverity.Error, $"{P} -e UCX_TLS=rc,sm,self -e UCX_NET_DEVICES=eth0 rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-UCX011", LintSeverity.Info, $"{P} -e UCX_TLS=rc,tcp,sm,self -e UCX_NET_DEVICES=mlx5_0:1 rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-KVT001", LintSeverity.Error, $"{P} rocm/vllm:v0.20.0 vllm serve org/m --kv-transfer-config \"{{'kv_connector':'NixlConnector'}}\"" },
        { "FERRY-KVT005", LintSeverity.Error, $$"""{{P}} rocm/vllm:v0.20.0 vllm serve org/m --kv-transfer-config '{"kv_connector":"NixlConnector"}'""" },
        { "FERRY-KVT006", LintSeverity.Error, $$"""{{P}} rocm/vllm:v0.20.0 vllm serve org/m --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both","kv_buffer_device":"rocm"}'""" },
        { "FERRY-KVT016", LintSeverity.Error, $$"""{{P}} rocm/vllm:v0.20.0 vllm serve org/m --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both","kv_connector_extra_config":{"kv_lease_duration":"300"} }'""" },
        { "FERRY-KVT013", LintSeverity.Info, $$"""{{P}} rocm/vllm:v0.20.0 vllm serve org/m --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both","kv_connector_extra_config":{"something_else":1} }'""" },
        { "FERRY-KVT013", LintSeverity.Warning, $$"""{{P}} rocm/vllm:v0.20.0 vllm serve org/m --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both","kv_connector_extra_config":{"handover_mode":"push"} }'""" },
        { "FERRY-KVT013", LintSeverity.Error, Serve("kv_both", "\"handover-mode\":\"push\"") },
        { "FERRY-KVT013", LintSeverity.Error, Serve("kv_both", "\"something_else\":1") },
        { "FERRY-KVT026", LintSeverity.Error, Serve("kv_both", "\"handover_mode\":\"psuh\"") },
        { "FERRY-KVT026", LintSeverity.Error, Serve("kv_both", "\"handover_mode\":1") },
        { "FERRY-KVT026", LintSeverity.Error, "ferry serve m --kv-transfer-config.kv_connector FerryConnector --kv-transfer-config.kv_role kv_both --kv-transfer-config.kv_connector_extra_config.handover_mode pusch" },
        { "FERRY-PAIR026", LintSeverity.Warning, $"{Serve("kv_producer", "")} --port 8000\n{Serve("kv_consumer", "\"handover_mode\":\"auto\"")} --port 8001" },
        { "FERRY-PAIR026", LintSeverity.Warning, $"{Serve("kv_producer", "\"handover_mode\":\"push-layerwise\"")} --port 8000\n{Serve("kv_consumer", "\"handover_mode\":\"pull\"")} --port 8001" },
        { "FERRY-PAIR001", LintSeverity.Error, $"{P} rocm/vllm:v0.20.0 vllm serve Org/M {Give}\n{D} vllm-gaudi:v0.20.0 vllm serve org/m {Take}" },
        { "FERRY-PAIR002", LintSeverity.Error, $"{P} rocm/vllm:v0.20.0 vllm serve org/m --dtype half {Give}\n{D} vllm-gaudi:v0.20.0 vllm serve org/m --dtype bfloat16 {Take}" },
        { "FERRY-PAIR002", LintSeverity.Warning, $"{P} rocm/vllm:v0.20.0 vllm serve org/m {Give}\n{D} vllm-gaudi:v0.20.0 vllm serve org/m {Take}" },
        { "FERRY-PAIR003", LintSeverity.Error, $"{P} rocm/vllm:v0.20.0 vllm serve org/m --kv-cache-dtype fp8 {Give}\n{D} vllm-gaudi:v0.20.0 vllm serve org/m --kv-cache-dtype fp8_inc {Take}" },
        { "FERRY-PAIR006", LintSeverity.Error, PairOfRocm("--block-size 16 -tp 8", "--block-size 32 -tp 4", "cuda") },
        { "FERRY-PAIR007", LintSeverity.Error, $"{P} rocm/vllm:v0.20.0 vllm serve org/m {Give}\n{D} -e VLLM_KV_CACHE_LAYOUT=NHD vllm-gaudi:v0.20.0 vllm serve org/m {Take}" },
        { "FERRY-PAIR009", LintSeverity.Error, $"{P} rocm/vllm:v0.24.0 vllm serve org/m {Give}\n{D} vllm-gaudi:v0.20.0 vllm serve org/m {Take}" },
        { "FERRY-PAIR009", LintSeverity.Warning, $"{P} rocm/vllm:v0.24.0 vllm serve org/m {Give}\n{D} vllm-gaudi:v0.20.0 vllm serve org/m {Take.Replace("\"cpu\"", "\"cpu\",\"kv_connector_extra_config\":{\"enforce_handshake_compat\":false}", StringComparison.Ordinal)}" },
        { "FERRY-PAIR013", LintSeverity.Warning, $"{P} -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 -e VLLM_NIXL_SIDE_CHANNEL_PORT=5600 rocm/vllm:v0.20.0 vllm serve org/m {Give}\n{D} -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 -e VLLM_NIXL_SIDE_CHANNEL_PORT=5601 vllm-gaudi:v0.20.0 vllm serve org/m {Take}" },
        { "FERRY-PAIR014", LintSeverity.Error, $"{P} -e VLLM_NIXL_SIDE_CHANNEL_HOST=127.0.0.1 rocm/vllm:v0.20.0 vllm serve org/m {Give}" },
        { "FERRY-PAIR017", LintSeverity.Info, $"{P} rocm/vllm:v0.20.0 vllm serve org/m {Give}" },
        { "FERRY-PAIR018", LintSeverity.Error, $"{P} --name prefill rocm/vllm:v0.20.0 vllm serve org/m {Give}\n{D} --name decode vllm-gaudi:v0.20.0 vllm serve org/m" },
        { "FERRY-CAP008", LintSeverity.Error, $"{D} -e VLLM_HPU_NIXL_JOINT_KV=1 -e VLLM_HPU_NIXL_STAGING_SLOTS=900000 vllm-gaudi:v0.24.0 vllm serve meta-llama/Llama-3.1-70B-Instruct -tp 4 --max-model-len 8192" },
        { "FERRY-CTR010", LintSeverity.Warning, $"{P} -e PT_HPU_LAZY_MODE=1 rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-CTR010", LintSeverity.Warning, $"{P} --gpus all rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-CTR008", LintSeverity.Warning, $"docker run --device=/dev/kfd -p 8000:8000 rocm/vllm:v0.20.0 vllm serve org/m {Give}" },
        { "FERRY-CTR007", LintSeverity.Warning, "vllm serve org/m --port 8000 &\nvllm serve org/m --port 8000 &" },
        { "FERRY-CTR007", LintSeverity.Error, $"VLLM_NIXL_SIDE_CHANNEL_PORT=8000 vllm serve org/m --port 8000 {Give}" },
        { "FERRY-CTR011", LintSeverity.Warning, "docker run rocm/vllm vllm serve org/m" },
        { "FERRY-VLLM001", LintSeverity.Warning, "vllm serve org/m --tensor-paralel-size 4" },
        { "FERRY-VLLM002", LintSeverity.Error, $"{P} rocm/vllm:v0.22.0 vllm serve org/m --swap-space 4" },
        { "FERRY-VLLM007", LintSeverity.Error, "vllm serve org/m --tensor-parallel-size 0" },
        { "FERRY-VLLM007", LintSeverity.Error, "vllm serve org/m --dtype bf16" },
        { "FERRY-VLLM007", LintSeverity.Error, "vllm serve org/m --port 800000" },
        { "FERRY-VLLM008", LintSeverity.Error, $"{P} -e VLLM_ATTENTION_BACKEND=ROCM_ATTN rocm/vllm:v0.20.0 vllm serve org/m {Give}" },
        { "FERRY-VLLM010", LintSeverity.Error, $"{P} rocm/vllm:v0.20.0 vllm serve org/m --kv-cache-dtype fp8_inc" },
        { "FERRY-HPU008", LintSeverity.Error, $$"""{{D}} vllm-gaudi:v0.20.0 vllm serve org/m --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer"}'""" },
        { "FERRY-SEC001", LintSeverity.Error, "vllm serve org/m --api-key 0123456789abcdef" },
        { "FERRY-SEC001", LintSeverity.Error, "docker run -e LMCACHE_REMOTE_URL=redis://user:0123456789@10.0.0.1:6379 rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-SEC004", LintSeverity.Error, "lmcache server --http-host 0.0.0.0 --l1-size-gb 100 --eviction-policy LRU" },
        { "FERRY-SEC007", LintSeverity.Error, "docker run -e VLLM_ALLOW_INSECURE_SERIALIZATION=1 rocm/vllm:v0.20.0 vllm serve org/m" },
        { "FERRY-SEC007", LintSeverity.Warning, "docker run -p 5555:5555 lmcache/standalone:v0.4.3 lmcache server --l1-size-gb 100 --eviction-policy LRU" },
    };

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Lint_OfThisForm_FindsItAndJudgesIt(string rule, LintSeverity severity, string script)
    {
        var findings = Examples.Lint(RuleExample.Shell(script)).Findings;
        Assert.True(findings.Any(finding => finding.Rule.Id == rule && finding.Severity == severity),
            $"{rule} ({severity}) is not among: {string.Join("; ", findings.Select(finding => $"{finding.Rule.Id} ({finding.Severity})"))}");
    }

    [Fact]
    public void Lint_OfAComposeFileOnTheHostsNetwork_SeesPortsOfOtherServices()
    {
        var findings = Examples.Lint(RuleExample.Compose("""
            services:
              a: { image: "rocm/vllm:v0.20.0", network_mode: host, command: vllm serve org/m --port 8000 }
              b: { image: "rocm/vllm:v0.20.0", network_mode: host, command: vllm serve org/m --port 8000 }
            """)).Findings;
        Assert.Contains(findings, finding => finding.Rule.Id == "FERRY-CTR007" && finding.Message.Contains("8000", StringComparison.Ordinal));
    }

    [Fact]
    public void Lint_OfManyPairsWithOneMistake_TellsEachDecodeEngineOnce()
    {
        var script = string.Join('\n',
            Enumerable.Range(0, 4).Select(i => $"{P.Replace("prefill", $"prefill-{i}", StringComparison.Ordinal)} rocm/vllm:v0.20.0 vllm serve org/m {Give}")
                .Concat(Enumerable.Range(0, 8).Select(i => $"{D.Replace("decode", $"decode-{i}", StringComparison.Ordinal)} vllm-gaudi:v0.20.0 vllm serve org/m {Take}")));
        Assert.Equal(8, Examples.Lint(RuleExample.Shell(script)).Findings.Count(finding => finding.Rule.Id == "FERRY-KVT008"));
    }

    [Theory]
    [InlineData("\"handover_mode\":\"auto\"", "\"handover_mode\":\"push\"")]
    [InlineData("\"kv_lease_duration\":30,\"lmcache.chunk_size\":64", "\"handover_mode\":\"pull\"")]
    [InlineData("\"handover_mode\":\"pusch\"", "")]
    public void Lint_OfHandoverModesThatFit_FindsNothingInThePair(string prefill, string decode) =>
        Assert.DoesNotContain(Examples.Lint(RuleExample.Shell($"{Serve("kv_producer", prefill)} --port 8000\n{Serve("kv_consumer", decode)} --port 8001")).Findings, finding => finding.Rule.Id is "FERRY-PAIR026" or "FERRY-KVT013");

    [Fact]
    public void KeysAndModes_OfTheRules_AreFerryServesOwn()
    {
        Assert.Equal(KvTransferSettings.ExtraKeys.Select(key => key.Name).Where(name => !name.StartsWith("lmcache.", StringComparison.Ordinal)).Order(StringComparer.Ordinal), FerryServeFields.ExtraNames.Order(StringComparer.Ordinal));
        Assert.Equal(HandoverModes.Names, FerryServeFields.Modes);
        Assert.Equal(HandoverModes.Names, Enum.GetValues<Ferry.Cluster.Spec.HandoverMode>().Select(mode => SpecNames.Of(mode)));
    }

    private static string Serve(string role, string extra) =>
        $"ferry serve org/m --kv-transfer-config '{{\"kv_connector\":\"FerryConnector\",\"kv_role\":\"{role}\",\"kv_connector_extra_config\":{{{extra}}} }}'";

    private static string PairOfRocm(string prefill, string decode, string device) =>
        $"{P} rocm/vllm:v0.20.0 vllm serve org/m {prefill} {Give.Replace("\"cpu\"", $"\"{device}\"", StringComparison.Ordinal)}\n" +
        $"{P.Replace("prefill", "decode", StringComparison.Ordinal)} rocm/vllm:v0.20.0 vllm serve org/m {decode} {Take.Replace("\"cpu\"", $"\"{device}\"", StringComparison.Ordinal)}";
}
