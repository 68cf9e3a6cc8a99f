using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.Transfer.SideChannel;

namespace Ferry.Cli.Commands.Transport;

/// <summary>Whether the KV of two nodes fits, said field by field.</summary>
internal static class KvComparison
{
    /// <param name="first">The lender.</param>
    /// <param name="other">The one that is to use the KV.</param>
    public static IEnumerable<CheckStep> Compare(PeerMetadata first, PeerMetadata other)
    {
        var (a, b) = (first.Kv, other.Kv);
        if (a.RankLayouts.Count == 0 || b.RankLayouts.Count == 0)
        {
            return [new CheckStep("layouts", CheckStep.Failed, $"{(a.RankLayouts.Count == 0 ? first.Identity : other.Identity)} holds no KV.", "Give the side channels of two nodes that serve a model.")];
        }
        return
        [
            Same("model", $"{a.Model:x32}", $"{b.Model:x32}", "Both nodes must load the same weights."),
            Same("chunk tokens", $"{a.ChunkTokens}", $"{b.ChunkTokens}", "Set the same chunk size on both."),
            Same("keys", a.KeyAlgorithm, b.KeyAlgorithm, "Set the same hash algorithm and seed (PYTHONHASHSEED) on both."),
            Plan($"conversion to {other.Identity.EngineId}", a.RankLayouts, b.RankLayouts),
            Plan($"conversion to {first.Identity.EngineId}", b.RankLayouts, a.RankLayouts),
        ];
    }

    private static CheckStep Same(string name, string a, string b, string fix) =>
        a == b ? CheckStep.Passed(name, $"{a} on both") : new CheckStep(name, CheckStep.Failed, $"{a} and {b}", fix);

    private static CheckStep Plan(string name, IReadOnlyList<string> sources, IReadOnlyList<string> targets)
    {
        var (from, to) = (new List<KvLayout>(), new List<KvLayout>());
        foreach (var (texts, layouts) in new[] { (sources, from), (targets, to) })
        {
            foreach (var text in texts)
            {
                try
                {
                    layouts.Add(KvLayout.Parse(text));
                }
                catch (Exception exception) when (exception is FormatException or KvLayoutException)
                {
                    return new CheckStep(name, CheckStep.Failed, $"'{text}': {exception.Message}", "Run one release of Ferry on all nodes.");
                }
            }
        }
        foreach (var target in to)
        {
            if (!ConversionPlan.TryCreate(from, target, out _, out var mismatches))
            {
                return new CheckStep(name, CheckStep.Failed, string.Join("; ", mismatches), "Change one side so that these agree; the other fields are converted.");
            }
        }
        return CheckStep.Passed(name, from[0] == to[0] && from.Count == to.Count ? "none needed, the layouts are equal" : $"{from.Count} ranks to {to.Count}: {from[0]} to {to[0]}");
    }
}
