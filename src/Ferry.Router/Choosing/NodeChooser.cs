using Ferry.Router.Metrics;

namespace Ferry.Router.Choosing;

/// <summary>Chooses the nodes of each request and learns from what is reported of them. One for the life of the router; any thread.</summary>
public sealed class NodeChooser(NodePool prefill, NodePool decode, RouterMetrics metrics, TimeProvider clock)
{
    /// <summary>Tokens are estimated from bytes until answers tell: about 4 characters of English a token.</summary>
    private const int BytesPerToken = 4;

    public Choice Choose(ChoiceFacts facts)
    {
        var choice = new Choice(this, facts, facts.PromptTokens ?? facts.Prompt.Length / BytesPerToken) { Decode = decode.TryChoose([]), SkipReason = facts.DecodeOnlyReason };
        if (choice.SkipReason is null)
        {
            choice.Prefill = facts.GivenPrefill ?? prefill.TryChoose([]);
            choice.SkipReason = choice.Prefill is null ? "no prefill node" : null;
        }
        return choice;
    }

    /// <summary>A node by role and host:port, as configuration and discovery know it now; null when they do not.</summary>
    public Node? TryFind(NodeRole role, string name) => (role == NodeRole.Prefill ? prefill : decode).Nodes.FirstOrDefault(node => node.Name == name);

    internal Node? NextPrefill(Choice choice, ChoiceFacts facts, List<Node> tried)
    {
        choice.Prefill = facts.DecodeOnlyReason is null ? prefill.TryChoose(tried) : null;
        choice.SkipReason = choice.Prefill is null ? facts.DecodeOnlyReason ?? "no other prefill node" : null;
        return choice.Prefill;
    }

    internal Node? NextDecode(Choice choice, ChoiceFacts facts, List<Node> tried) => choice.Decode = decode.TryChoose(tried);

    internal LegTicket StartLeg(Choice choice, ChoiceFacts facts, Node node)
    {
        node.Begin(choice.PromptTokens);
        return new LegTicket(this, choice, facts, node, clock.GetTimestamp());
    }

    internal void FirstByte(LegTicket leg)
    {
        leg.Node.PromptDone(leg.Choice.PromptTokens);
        metrics.LegFirstByte(leg.Node.Role, clock.GetElapsedTime(leg.Started));
    }

    internal void LegFinished(LegTicket leg, int? promptTokens, int? cachedTokens, int? completionTokens, bool holdsKv) =>
        metrics.LegDone(leg.Node.Role, clock.GetElapsedTime(leg.Started));

    internal void LegFailed(LegTicket leg, LegFailure failure) => metrics.NodeFailed(leg.Node);

    internal void TransferFailed(Choice choice, string reason) => metrics.TransferFailed(choice.Prefill?.Name ?? "-", choice.Decode?.Name ?? "-");

    internal void KvMoved(Choice choice, long tokens, long bytes) => metrics.KvMoved(tokens, bytes);
}
