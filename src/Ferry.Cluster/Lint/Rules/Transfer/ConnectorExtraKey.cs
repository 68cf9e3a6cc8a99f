using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Key in kv_connector_extra_config that the connector does not read.</summary>
internal sealed class ConnectorExtraKey : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT013",
        Severity = LintSeverity.Warning,
        Title = "Key in kv_connector_extra_config that the connector does not read",
        Why = "vLLM does not check the map: a misspelt key has no effect and no message. ferry serve does, and does not start.",
        Symptom = "In vLLM nothing shows at run time; `ferry serve` names the key and ends.",
        Fix = "Write the key as the connector has it.",
        Versions = "vLLM 0.12 and later; ferry serve",
        Sources = ["vLLM docs/features/nixl_connector_usage.md", "vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_connector_extra_config":{"enforce_handshake_compat":false}}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_connector_extra_config":{"enforce_handshake_compatibility":false}}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var engine in cluster.Engines)
        {
            if (engine.FerryTransfer?.Extra is { Kind: DataKind.Object } own) { CheckFerry(own, findings); }
            else if (engine.KvTransfer?.Nixl?.Find("kv_connector_extra_config") is { Kind: DataKind.Object } extra) { CheckNixl(extra, findings); }
        }
    }

    private void CheckNixl(DataNode extra, FindingSink findings)
    {
        foreach (var key in extra.Members.Select(member => member.Key))
        {
            if (TransferFields.TypeOfNixlExtra(key.Value) is not null || IsLmCache(key)) { continue; }
            if (key.Value == FerryServeFields.HandoverMode)
            {
                findings.Report(Info, key.Span, $"{key.Value} is ferry serve's: NixlConnector reads no such key. In vLLM the connector's name says it (NixlPullConnector, NixlPushConnector).");
                continue;
            }
            var nearest = NearestName.Find(key.Value, TransferFields.NixlExtraNames);
            findings.Report(Info, nearest is null ? LintSeverity.Info : LintSeverity.Warning, key.Span,
                nearest is null ? $"NixlConnector is not known to read {key.Value}; a key that it does not read has no effect." : $"NixlConnector reads no {key.Value}, so it has no effect. Did you mean {nearest}?",
                nearest is null ? [] : Edits.Replace(key, nearest));
        }
    }

    private void CheckFerry(DataNode extra, FindingSink findings)
    {
        foreach (var key in extra.Members.Select(member => member.Key))
        {
            if (FerryServeFields.ExtraNames.Contains(key.Value) || IsLmCache(key) || key.HasUnknown) { continue; }
            var nearest = NearestName.Find(key.Value, FerryServeFields.ExtraNames);
            findings.Report(Info, LintSeverity.Error, key.Span, $"ferry serve has no key {key.Value} and does not start with it.{(nearest is null ? "" : $" Did you mean {nearest}?")}",
                nearest is null ? [] : Edits.Replace(key, nearest));
        }
    }

    private static bool IsLmCache(SourcedText key) => key.Value.StartsWith("lmcache.", StringComparison.Ordinal);
}
