using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>handover_mode that ferry serve does not have.</summary>
internal sealed class HandoverModeName : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT026",
        Severity = LintSeverity.Error,
        Title = "handover_mode that ferry serve does not have",
        Why = "ferry serve hands KV over by pull, push, push-layerwise or auto, and ends at its start with any other word.",
        Symptom = "`handover_mode is '…'; it must be one of pull, push, push-layerwise, auto`, and no node.",
        Fix = "Write one of the four, the same on prefill and decode nodes.",
        Versions = "every version of ferry serve",
        Sources = ["docs/transfer.md, hand-over modes"],
        GoodExample = RuleExample.Shell("""
            ferry serve models/llama --port 8000 \
              --kv-transfer-config '{"kv_connector":"FerryConnector","kv_role":"kv_producer","kv_connector_extra_config":{"handover_mode":"push-layerwise"}}'
            """),
        BadExample = RuleExample.Shell("""
            ferry serve models/llama --port 8000 \
              --kv-transfer-config '{"kv_connector":"FerryConnector","kv_role":"kv_producer","kv_connector_extra_config":{"handover_mode":"layerwise"}}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var engine in cluster.Engines)
        {
            if (FerryServeFields.HandoverModeOf(engine) is not { Text: { HasUnknown: false } text } mode || (mode.Kind == DataKind.String && FerryServeFields.Modes.Contains(text.Value))) { continue; }
            var nearest = Nearest(text.Value);
            findings.Report(Info, mode.Span, $"ferry serve has no handover_mode {text.Value}; it must be one of {string.Join(", ", FerryServeFields.Modes)}.{(nearest is null ? "" : $" Did you mean {nearest}?")}",
                nearest is null || mode.Kind != DataKind.String ? [] : Edits.Replace(text, nearest));
        }
    }

    /// <summary>The nearest name; what only the longest of them ends with (layerwise) is meant to be that one.</summary>
    private static string? Nearest(string text) => NearestName.Find(text, FerryServeFields.Modes)
        ?? (text.Contains("layer", StringComparison.OrdinalIgnoreCase) ? FerryServeFields.Modes.First(mode => mode.Contains("layer", StringComparison.Ordinal)) : null);
}
