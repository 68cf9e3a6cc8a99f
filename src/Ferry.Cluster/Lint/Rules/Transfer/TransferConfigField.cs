using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Unknown field in --kv-transfer-config.</summary>
internal sealed class TransferConfigField : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT002",
        Severity = LintSeverity.Error,
        Title = "Unknown field in --kv-transfer-config",
        Why = "The configuration is a closed set of fields; vLLM refuses any other. A connector's own settings belong under " +
            "kv_connector_extra_config.",
        Symptom = "`ValidationError / TypeError: KVTransferConfig … got an unexpected keyword argument`.",
        Fix = "Write the field's own name, or move it under kv_connector_extra_config.",
        Versions = "vLLM 0.8 and later",
        Sources = ["vLLM vllm/config/kv_transfer.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_rol":"kv_producer"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer is not { Json: { } json } transfer) { return; }
        foreach (var member in json.Members.Concat(transfer.Connectors.Where(child => !ReferenceEquals(child, json)).SelectMany(child => child.Members)))
        {
            var name = member.Key.Value.Split('.')[0].TrimEnd('+');
            if (TransferFields.TypeOf(name) is not null) { continue; }
            var nearest = NearestName.Find(name, TransferFields.Names);
            var way = nearest is not null ? $"Did you mean {nearest}?"
                : TransferFields.TypeOfNixlExtra(name) is not null ? "It belongs under kv_connector_extra_config."
                : $"The fields are {string.Join(", ", TransferFields.Names)}; a connector's own settings stand under kv_connector_extra_config.";
            findings.Report(Info, member.Key.Span, $"--kv-transfer-config has no field {name}; vLLM refuses it. {way}", nearest is not null ? Edits.Replace(member.Key, nearest) : []);
        }
    }
}
