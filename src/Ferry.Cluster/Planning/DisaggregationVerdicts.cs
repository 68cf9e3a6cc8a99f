using System.Globalization;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>When keeping prefill and decode apart pays on this cluster, and when it does not.</summary>
internal static class DisaggregationVerdicts
{
    /// <summary>Of a link: above it transfers mostly wait for each other (at 0.7 one takes 3.3 times as long as alone).</summary>
    private const double BusyLink = 0.7;

    /// <summary>Of one side's time: below it the other side has too few nodes.</summary>
    private const double IdleSide = 0.5;

    /// <summary>Rooflines are no more exact than that.</summary>
    private const double EqualWithin = 0.05;

    public static IReadOnlyList<Verdict> Of(
        ClusterSpec spec, BalanceFigures balance, PoolFigures prefill, PoolFigures decode, NodeModel prefillNode, NodeModel decodeNode, TransferFigures link)
    {
        var verdicts = new List<Verdict>();
        if (!spec.IsDisaggregated)
        {
            verdicts.Add(new(false, "No pool only prefills: nothing is handed over."));
            return verdicts;
        }
        Throughput(balance, verdicts);
        FirstToken(spec, prefill, decode, prefillNode, decodeNode, link, verdicts);
        Link(spec, balance, prefill, verdicts);
        Sides(balance, prefill, decode, verdicts);
        return verdicts;
    }

    private static void Throughput(BalanceFigures balance, List<Verdict> verdicts)
    {
        var gain = balance.TogetherRequestsPerSecond > 0 ? balance.RequestsPerSecond / balance.TogetherRequestsPerSecond : 1;
        var conclusion = gain > 1 + EqualWithin ? "Disaggregation pays: each side does what its chips are better at."
            : gain < 1 - EqualWithin ? "Disaggregation does not pay in throughput here; it can still keep decode steps even."
            : "Disaggregation neither costs nor gains throughput; it keeps decode steps even.";
        verdicts.Add(new(gain < 1 - EqualWithin, Text(
            $"Throughput: apart {balance.RequestsPerSecond:0.###} requests/s ({balance.Bottleneck} is the limit), {balance.TogetherRequestsPerSecond:0.###} if every node did both. {conclusion}")));
    }

    private static void FirstToken(
        ClusterSpec spec, PoolFigures prefill, PoolFigures decode, NodeModel prefillNode, NodeModel decodeNode, TransferFigures link, List<Verdict> verdicts)
    {
        var apart = prefill.PrefillSeconds + link.Seconds;
        var pays = apart < decode.PrefillSeconds;
        verdicts.Add(new(link.Seconds >= decode.PrefillSeconds, Text(
            $"First token of a {spec.Plan.PromptTokens:N0}-token prompt: {apart * 1e3:0} ms apart ({prefill.PrefillSeconds * 1e3:0} prefill + {link.Seconds * 1e3:0} hand-over), {decode.PrefillSeconds * 1e3:0} ms if the decode node computed it. {(link.Seconds >= decode.PrefillSeconds ? "The hand-over alone takes longer than computing the prompt where it is decoded." : pays ? "Disaggregation pays." : "Disaggregation costs latency and buys decode steps without prefills in between.")}")));
        verdicts.Add(new(false, Text(
            $"Together, each prompt would stop the decode steps of its node for {decode.PrefillSeconds * 1e3:0} ms, {decode.PrefillSeconds / Math.Max(decode.DecodeStepSeconds, 1e-9):0} steps of {decode.DecodeStepSeconds * 1e3:0.0} ms.")));
        var shortest = ShortestWorthwhile(spec, prefillNode, decodeNode, link);
        verdicts.Add(new(false, shortest is { } tokens
            ? Text($"Prompts from {tokens:N0} tokens on have their first token sooner apart; set router.minPromptTokens near it.")
            : "At no length up to maxLength does a prompt have its first token sooner apart, since the decode accelerator prefills as fast."));
    }

    /// <summary>The shortest prompt for which prefill and hand-over take less time than the decode node's prefill; null: none.</summary>
    private static long? ShortestWorthwhile(ClusterSpec spec, NodeModel prefill, NodeModel decode, TransferFigures link)
    {
        for (long tokens = 1; tokens <= spec.Model.MaxLength; tokens = tokens < 64 ? tokens + 1 : tokens + (tokens / 64))
        {
            if (prefill.PrefillSeconds(tokens) + (link.Seconds * tokens / spec.Plan.PromptTokens) < decode.PrefillSeconds(tokens))
            {
                return tokens;
            }
        }
        return null;
    }

    private static void Link(ClusterSpec spec, BalanceFigures balance, PoolFigures prefill, List<Verdict> verdicts)
    {
        var load = Math.Min(spec.Plan.RequestsPerSecond ?? balance.RequestsPerSecond, balance.RequestsPerSecond);
        var busy = balance.LinkRequestsPerSecond is { } limit ? load / limit : 0;
        verdicts.Add(new(busy > BusyLink, Text(
            $"Network: a prefill node brings forth {RateText.Format(prefill.KvBytesPerSecond)} of KV at full load; a node's link carries {RateText.Format(spec.Transport.BytesPerSecondOrUsual)} and is {busy:P0} busy at {load:0.###} requests/s.{(busy > BusyLink ? " Transfers wait for each other: take a faster link, fp8 KV, or more nodes." : "")}")));
    }

    private static void Sides(BalanceFigures balance, PoolFigures prefill, PoolFigures decode, List<Verdict> verdicts)
    {
        var (prefillBusy, decodeBusy) = (balance.RequestsPerSecond / balance.PrefillRequestsPerSecond, balance.RequestsPerSecond / balance.DecodeRequestsPerSecond);
        var isLopsided = Math.Min(prefillBusy, decodeBusy) < IdleSide;
        verdicts.Add(new(isLopsided, Text(
            $"Balance: prefill {prefillBusy:P0} busy, decode {decodeBusy:P0}. {balance.PrefillNodesPerDecodeNode:0.##} nodes of {prefill.Pool} keep one of {decode.Pool} busy.{(isLopsided ? " The idle side has nodes too many, or should do both." : "")}")));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
