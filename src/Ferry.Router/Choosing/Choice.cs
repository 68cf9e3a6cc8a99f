namespace Ferry.Router.Choosing;

/// <summary>The nodes of one request (of one prompt, where a request has several), and what is reported of them. One request's tasks only.</summary>
/// <remarks>
/// <c>using var choice = chooser.Choose(facts)</c>; then <see cref="StartLeg"/> for each try of a leg. Dispose at the request's end, on
/// every path: it lets go of the KV that a prefill node holds for this request.
/// </remarks>
public sealed class Choice : IDisposable
{
    private readonly NodeChooser _chooser;
    private readonly ChoiceFacts _facts;
    private readonly List<Node> _triedPrefill = [];
    private readonly List<Node> _triedDecode = [];
    private Node? _holder;

    internal Choice(NodeChooser chooser, ChoiceFacts facts, int promptTokens)
    {
        _chooser = chooser;
        _facts = facts;
        PromptTokens = promptTokens;
    }

    /// <summary>Does the first leg; null: leg 1 is skipped, and <see cref="SkipReason"/> says why.</summary>
    public Node? Prefill { get; internal set; }

    /// <summary>Does the second leg; null: no decode node takes requests now (answer 503).</summary>
    public Node? Decode { get; internal set; }

    /// <summary>Why there is no leg 1: the facts' reason, a short prompt, a hit at the decode node, no prefill node; null when there is one.</summary>
    public string? SkipReason { get; internal set; }

    /// <summary>The prompt's tokens, counted or estimated.</summary>
    public int PromptTokens { get; }

    /// <summary>Tokens of the prompt whose KV the prefill node is believed to have.</summary>
    public int PrefillHitTokens { get; internal set; }

    /// <summary>Tokens of the prompt whose KV the decode node is believed to have.</summary>
    public int DecodeHitTokens { get; internal set; }

    /// <summary>Another prefill node than those that were started already; null (and a <see cref="SkipReason"/>) when there is none.</summary>
    public Node? NextPrefill() => _chooser.NextPrefill(this, _facts, _triedPrefill);

    /// <summary>Another decode node than those that were started already; null when there is none.</summary>
    public Node? NextDecode() => _chooser.NextDecode(this, _facts, _triedDecode);

    /// <summary>Counts a leg in at <see cref="Prefill"/> or <see cref="Decode"/>. Call it right before the request is sent, and <see cref="LegTicket.Sent"/> right after.</summary>
    public LegTicket StartLeg(NodeRole role)
    {
        var node = (role == NodeRole.Prefill ? Prefill : Decode) ?? throw new InvalidOperationException($"No {role} node was chosen.");
        (role == NodeRole.Prefill ? _triedPrefill : _triedDecode).Add(node);
        var leg = _chooser.StartLeg(this, _facts, node);
        if (role == NodeRole.Decode) { DecodeStarted = leg.Started; }
        return leg;
    }

    /// <summary>The decode node could not fetch from the prefill node (it says so, or <c>finish_reason</c> is "error"): counts against the pair.</summary>
    public void TransferFailed(string reason) => _chooser.TransferFailed(this, reason);

    /// <summary>KV is proven to have moved from <see cref="Prefill"/> to <see cref="Decode"/>: counts for the pair.</summary>
    /// <param name="tokens">Prompt tokens whose KV moved; 0 where the node does not say.</param>
    /// <param name="bytes">0 where the node does not say.</param>
    public void KvMoved(long tokens, long bytes) => _chooser.KvMoved(this, tokens, bytes);

    public void Dispose()
    {
        // Nobody fetched: the node holds the KV until its lease ends.
        EndLease(_chooser.LeaseEnd());
        Keys?.Dispose();
        Keys = null;
    }

    internal Security.Tenant Tenant => _facts.Tenant;

    internal ChoiceKeys? Keys { get; set; }

    /// <summary>0: the request has no session.</summary>
    internal ulong SessionHash { get; init; }

    /// <summary>When the last decode leg was sent; null: none was.</summary>
    internal long? DecodeStarted { get; private set; }

    internal void TakeLease(Node node)
    {
        EndLease(_chooser.LeaseEnd());
        _holder = node;
        node.LeaseTaken();
    }

    /// <param name="heldUntil">The node holds the KV until then; 0: it was fetched.</param>
    internal void EndLease(long heldUntil)
    {
        _holder?.LeaseEnded(heldUntil);
        _holder = null;
    }

    /// <summary>How many bytes a token has in this request.</summary>
    internal void LearnLength(int promptTokens, NodeSelection selection)
    {
        const double Share = 0.05;
        if (_facts.PromptTokens is null && _facts.Prompt.Length >= 64)
        {
            selection.BytesPerToken += (Math.Clamp((double)_facts.Prompt.Length / promptTokens, 0.5, 32) - selection.BytesPerToken) * Share;
        }
    }
}
