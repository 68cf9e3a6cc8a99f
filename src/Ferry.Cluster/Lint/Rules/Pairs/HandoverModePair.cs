using Ferry.Cluster.Lint.Rules.Transfer;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>One side pushes, the other only pulls.</summary>
internal sealed class HandoverModePair : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR026",
        Severity = LintSeverity.Warning,
        Title = "One side of ferry serve pushes, the other only pulls",
        Why = "A decode node whose handover_mode is pull (the default) takes no pushes, and a prefill node with pull makes none. Between the two every hand-over is a pull, whatever the other side says.",
        Symptom = "`x-ferry-kv-mode: pull` on every answer, and `ferry_kv_bytes_pushed_total` stays 0.",
        Fix = "Give both sides the same handover_mode. Of two that push, the prefill node's decides.",
        Versions = "every version of ferry serve",
        Sources = ["docs/transfer.md, hand-over modes"],
        GoodExample = RuleExample.Shell("""
            ferry serve models/llama --port 8000 \
              --kv-transfer-config '{"kv_connector":"FerryConnector","kv_role":"kv_producer","kv_connector_extra_config":{"handover_mode":"push"}}' &
            ferry serve models/llama --port 8001 \
              --kv-transfer-config '{"kv_connector":"FerryConnector","kv_role":"kv_consumer","kv_connector_extra_config":{"handover_mode":"push"}}' &
            """),
        BadExample = RuleExample.Shell("""
            ferry serve models/llama --port 8000 \
              --kv-transfer-config '{"kv_connector":"FerryConnector","kv_role":"kv_producer","kv_connector_extra_config":{"handover_mode":"push"}}' &
            ferry serve models/llama --port 8001 \
              --kv-transfer-config '{"kv_connector":"FerryConnector","kv_role":"kv_consumer"}' &
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var (prefill, decode) in cluster.Pairs)
        {
            if (prefill.FerryTransfer is not { Json: not null } || decode.FerryTransfer is not { Json: not null } || ModeOf(prefill) is not { } gives || ModeOf(decode) is not { } takes
                || (gives == FerryServeFields.DefaultMode) == (takes == FerryServeFields.DefaultMode))
            {
                continue;
            }
            var written = FerryServeFields.HandoverModeOf(decode);
            findings.Report(Info, written?.Span ?? decode.FerryTransfer.Flag.Span,
                $"handover_mode is {takes} here and {gives} on {prefill.Label()} ({PlaceOf(prefill).SeenFrom(decode)}): {(takes == FerryServeFields.DefaultMode ? "this node takes no pushes" : "that node makes no pushes")}, so KV is always pulled. Write {(takes == FerryServeFields.DefaultMode ? gives : takes)} on both.",
                takes == FerryServeFields.DefaultMode && written is not null ? Edits.Replace(written.Text, gives) : []);
        }
    }

    private static Sources.SourceSpan PlaceOf(ObservedProcess engine) => FerryServeFields.HandoverModeOf(engine)?.Span ?? engine.FerryTransfer?.Flag.Span ?? engine.HeadSpan;

    /// <summary>Null for what is not known, and for what is no mode: that has a rule of its own.</summary>
    private static string? ModeOf(ObservedProcess engine) => FerryServeFields.HandoverModeOf(engine) switch
    {
        null => FerryServeFields.DefaultMode,
        { Text: { HasUnknown: false } text } when FerryServeFields.Modes.Contains(text.Value) => text.Value,
        _ => null,
    };
}
