namespace Ferry.Router.Choosing;

/// <summary>One leg's place at a node: counted from the start of the leg until it is disposed, exactly once.</summary>
/// <remarks>Disposed without <see cref="Finished"/> or <see cref="Failed"/>, the client went away: that says nothing about the node.</remarks>
public sealed class LegTicket : IDisposable
{
    private readonly NodeChooser _chooser;
    private bool _hadFirstByte;
    private bool _isOver;
    private bool _isDisposed;

    internal LegTicket(NodeChooser chooser, Choice choice, Node node, long started, int queuedTokens)
    {
        _chooser = chooser;
        Choice = choice;
        Node = node;
        Started = started;
        QueuedTokens = queuedTokens;
    }

    public Node Node { get; }

    internal Choice Choice { get; }

    /// <summary>Timestamp of the router's clock.</summary>
    internal long Started { get; }

    /// <summary>Prompt tokens that the node has to compute for it.</summary>
    internal int QueuedTokens { get; }

    /// <summary>The request is on its way: from now on the node is believed to have the prompt. Call it once, right after sending, while the node works.</summary>
    public void Sent() => _chooser.LegSent(this);

    /// <summary>The first byte of the answer's body (of a stream: of its first event) is there.</summary>
    public void FirstByte()
    {
        if (!_hadFirstByte)
        {
            _hadFirstByte = true;
            _chooser.FirstByte(this);
        }
    }

    /// <summary>The leg ended as it should.</summary>
    /// <param name="promptTokens">From <c>usage</c>; null where the answer has none.</param>
    /// <param name="cachedTokens">From <c>usage.prompt_tokens_details.cached_tokens</c>; null where the answer has none.</param>
    /// <param name="completionTokens">From <c>usage</c>, or the events counted; null where unknown.</param>
    /// <param name="holdsKv">Of a prefill leg: whether the answer had kv_transfer_params, so that the node holds KV for the decode node.</param>
    public void Finished(int? promptTokens, int? cachedTokens, int? completionTokens, bool holdsKv = false)
    {
        FirstByte();
        if (!_isOver)
        {
            _isOver = true;
            _chooser.LegFinished(this, promptTokens, cachedTokens, completionTokens, holdsKv);
        }
    }

    /// <summary>The node failed the leg: refused connection, time-out, 5xx, broken off. A 4xx is the client's: report it as finished.</summary>
    public void Failed(LegFailure failure)
    {
        if (!_isOver)
        {
            _isOver = true;
            _chooser.LegFailed(this, failure);
        }
    }

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            if (!_hadFirstByte)
            {
                Node.PromptDone(QueuedTokens);
            }
            Node.End();
        }
    }
}
