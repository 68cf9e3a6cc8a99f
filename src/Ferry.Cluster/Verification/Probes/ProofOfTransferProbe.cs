using System.Security.Cryptography;
using Ferry.Cluster.Diagnosis;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification.Transfers;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>One request through the router whose KV is seen leaving the prefill side and arriving at the decode side, and whose tokens equal a plain run.</summary>
/// <remarks>
/// HTTP 200 proves nothing: a decode node that got no KV computes the prompt itself and answers the same. So the counters of both sides are read before
/// and after a prompt that no cache can know, and the answer is compared with one that the decode node computes by itself, under another cache salt.
/// </remarks>
internal sealed class ProofOfTransferProbe : IProbe
{
    private const int TriesMax = 3;

    /// <summary>Counters are copied to /metrics a moment after the answer.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(1500);

    public string Id => "proof-of-transfer";

    public string Title => "KV moves from prefill to decode, and the tokens are those of a plain run";

    public TimeSpan Timeout => TimeSpan.FromMinutes(5);

    public bool IsExclusive => true;

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Spec.IsDisaggregated
        ? [new ProbeTask(cluster.RouterUrl.ToString(), token => RunAsync(cluster, token))]
        : [];

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, CancellationToken cancellationToken)
    {
        var before = await ReadAsync(cluster, cancellationToken);
        var (prompt, answer) = await AskRouterAsync(cluster, cancellationToken);
        if (answer.Problem.Length > 0)
        {
            return ProbeAnswer.Violation($"the router answers {answer.Problem}.");
        }
        await Task.Delay(Settling, cluster.Time, cancellationToken);
        var after = await ReadAsync(cluster, cancellationToken);
        var delta = after.Where(pair => before.ContainsKey(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value.Since(before[pair.Key]));
        var moved = Movement(cluster, answer, delta);
        return moved.Verdict == ProbeVerdict.Pass ? await ComparePlainAsync(cluster, prompt, answer, moved, cancellationToken) : moved;
    }

    private static async Task<(string Prompt, CompletionAnswer Answer)> AskRouterAsync(VerifyCluster cluster, CancellationToken cancellationToken)
    {
        var tokens = Math.Min(cluster.Options.ProofTokens, cluster.Spec.Model.MaxLength / 2);
        for (var tries = 1; ; tries++)
        {
            var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
            var prompt = ProofPrompt.Build(nonce, tokens);
            var answer = await CompletionAnswer.AskAsync(cluster.Http, cluster.RouterUrl, cluster.Plan.ModelName, prompt, $"ferry-verify-{nonce}", cancellationToken);
            if (!answer.IsTooLong || tries == TriesMax)
            {
                return (prompt, answer);
            }
            tokens /= 2;   // This vocabulary needs more tokens a word.
        }
    }

    private static async Task<Dictionary<string, KvCounters>> ReadAsync(VerifyCluster cluster, CancellationToken cancellationToken)
    {
        var pages = new Dictionary<string, KvCounters>(StringComparer.Ordinal);
        foreach (var target in cluster.Engines.Concat(cluster.Exchanges))
        {
            try
            {
                pages[target.Name] = KvCounters.Of(MetricPage.Parse(await cluster.Http.GetStringAsync(target.Metrics, cancellationToken)));
            }
            catch (HttpRequestException)
            {
                // Not reachable from here: judged below, by which sides are left.
            }
        }
        return pages;
    }

    /// <summary>Whether KV left one side and arrived at the other.</summary>
    private static ProbeAnswer Movement(VerifyCluster cluster, CompletionAnswer answer, Dictionary<string, KvCounters> delta)
    {
        if (answer.Headers.GetValueOrDefault("x-ferry-route") is { } route && route.Contains("handover=no", StringComparison.Ordinal))
        {
            return ProbeAnswer.Violation($"the router says: {route}.", "`ferry diagnose` on the router's and the prefill node's log names the reason.");
        }
        var decode = Known(cluster.Of(PoolRole.Decode), delta);
        var prefill = Known(cluster.Of(PoolRole.Prefill).Where(target => target.Pool!.Role == PoolRole.Prefill), delta);
        var exchanges = Known(cluster.Exchanges, delta);
        if (decode.Count == 0 || !decode.Any(side => side.CanTell))
        {
            return ProbeAnswer.Inconclusive("the decode side's metrics cannot be read, or do not count what it takes from outside.");
        }
        var taken = Math.Max(decode.Sum(side => Math.Max(0, side.Taken)), answer.KvTokens);
        var takenBytes = Math.Max(decode.Sum(side => Math.Max(0, side.TakenBytes)), answer.KvBytes);
        if (taken == 0 && takenBytes == 0)
        {
            return ProbeAnswer.Violation($"HTTP 200, but no KV moved: the decode side computed all {answer.PromptTokens} prompt tokens itself.", "Check that the router passes kv_transfer_params, the side channel, and PYTHONHASHSEED; then `ferry diagnose`.");
        }
        if (prefill.Count == 0)
        {
            return ProbeAnswer.Inconclusive($"the decode side took KV of {taken:0} tokens, but the prefill side's metrics cannot be read.");
        }
        if (prefill.Sum(side => side.PromptTokens) < answer.PromptTokens / 2.0)
        {
            return ProbeAnswer.Violation($"no prefill node computed the prompt ({prefill.Sum(side => side.PromptTokens):0} of {answer.PromptTokens} tokens): what the decode side took came from a cache.", "Look at the router's choice: x-ferry-route, minPromptTokens.");
        }
        var given = prefill.Sum(side => Math.Max(0, side.GivenBytes)) + exchanges.Sum(side => Math.Max(0, side.GivenBytes));
        var failures = delta.Values.Sum(side => side.Failures);
        if (failures > 0)
        {
            return ProbeAnswer.Violation($"KV of {taken:0} tokens moved, and {failures:0} transfers failed, expired or were damaged meanwhile.", "`ferry diagnose --url` on both nodes names them.");
        }
        if (decode.Sum(side => side.Requests) > 1 && answer.KvTokens == 0)
        {
            return ProbeAnswer.Inconclusive($"other requests ran meanwhile ({decode.Sum(side => side.Requests):0} on the decode side), so what moved cannot be told apart.", "Run it while nothing else does, or behind Ferry's router and nodes, whose answers carry their own proof.");
        }
        return ProbeAnswer.Pass($"KV of {taken:0} of {answer.PromptTokens} prompt tokens arrived at the decode side{(takenBytes > 0 ? $" ({ByteSize.Format((long)takenBytes)})" : "")}, computed by the prefill side{(given > 0 ? $", which gave {ByteSize.Format((long)given)}" : "")}{Checksum(answer)}");
    }

    private static async Task<ProbeAnswer> ComparePlainAsync(VerifyCluster cluster, string prompt, CompletionAnswer routed, ProbeAnswer moved, CancellationToken cancellationToken)
    {
        var decode = cluster.Of(PoolRole.Decode).First(target => target.Pool!.Role == PoolRole.Decode || !cluster.Of(PoolRole.Decode).Any(other => other.Pool!.Role == PoolRole.Decode));
        var before = await ReadAsync(cluster, cancellationToken);
        var plain = await CompletionAnswer.AskAsync(cluster.Http, decode.Url, cluster.Plan.ModelName, prompt, $"ferry-verify-plain-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}", cancellationToken);
        if (plain.Problem.Length > 0)
        {
            return ProbeAnswer.Inconclusive($"{moved.Text}; but {decode.Name} does not answer a plain request: {plain.Problem}.");
        }
        await Task.Delay(Settling, cluster.Time, cancellationToken);
        var after = await ReadAsync(cluster, cancellationToken);
        if (plain.KvTokens > 0 || (after.TryGetValue(decode.Name, out var now) && before.TryGetValue(decode.Name, out var then) && now.Since(then).Taken > 0))
        {
            return await CompareWithPrefillAsync(cluster, prompt, routed, moved, decode, cancellationToken);
        }
        return plain.Tokens == routed.Tokens
            ? ProbeAnswer.Pass($"{moved.Text}; {CompletionAnswer.OutputTokens} tokens equal a plain run on {decode.Name}")
            : ProbeAnswer.Violation($"{moved.Text}; but the tokens differ from those of a plain run on {decode.Name}: the KV that arrived is not the KV that was computed.", "Stop handing over until it is found: unlike layouts, dtypes or versions of the two sides.");
    }

    /// <summary>The decode node finds the prompt's KV in a cache that knows no salts, so the other side must say what is right.</summary>
    private static async Task<ProbeAnswer> CompareWithPrefillAsync(VerifyCluster cluster, string prompt, CompletionAnswer routed, ProbeAnswer moved, VerifyTarget decode, CancellationToken cancellationToken)
    {
        var prefill = cluster.Of(PoolRole.Prefill).First();
        var plain = await CompletionAnswer.AskAsync(cluster.Http, prefill.Url, cluster.Plan.ModelName, prompt, $"ferry-verify-plain-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}", cancellationToken);
        return plain.Problem.Length > 0 ? ProbeAnswer.Inconclusive($"{moved.Text}; but {decode.Name} answers from its cache and {prefill.Name} not at all: {plain.Problem}.")
            : plain.Tokens == routed.Tokens ? ProbeAnswer.Pass($"{moved.Text}; {CompletionAnswer.OutputTokens} tokens equal a plain run on {prefill.Name}")
            : ProbeAnswer.Inconclusive($"{moved.Text}; the tokens differ from a run on {prefill.Name}, whose arithmetic may differ, and {decode.Name} answers the prompt from a cache only.");
    }

    private static List<KvCounters> Known(IEnumerable<VerifyTarget> targets, Dictionary<string, KvCounters> delta) => [.. targets.Where(target => delta.ContainsKey(target.Name)).Select(target => delta[target.Name])];

    private static string Checksum(CompletionAnswer answer) => answer.Headers.GetValueOrDefault("x-ferry-kv-checksum") is "verified" ? ", checksums verified" : "";
}
