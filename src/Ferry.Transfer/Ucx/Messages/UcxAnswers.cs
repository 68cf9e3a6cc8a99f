namespace Ferry.Transfer.Ucx.Messages;

/// <summary>Sends peers the ranges that they ask for, out of memory that is published to them.</summary>
/// <remarks>One for each worker; all members are for its thread.</remarks>
internal sealed class UcxAnswers(UcxWorker worker)
{
    // Between a peer's connection and the way back to it that its handshake opens.
    private const int EarlyMax = 256;

    // Several times what a reader has in flight; more is a peer that ignores its own bounds.
    private const int WaitingMax = 4096;

    private readonly HashSet<UcxMemory> _published = [];
    private readonly Dictionary<UcxEndpoint, UcxAnswerQueue> _queues = [];
    private readonly Queue<UcxReadQuestion> _early = new();

    /// <summary>Peers may read the memory from now on.</summary>
    public void Publish(UcxMemory memory) => _published.Add(memory);

    /// <summary>Nothing of the memory is under way any more when this returns; peers that take nothing for <see cref="UcxOptions.CloseTimeout"/> are closed.</summary>
    public void Withdraw(UcxMemory memory)
    {
        _published.Remove(memory);
        foreach (var queue in _queues.Values)
        {
            queue.Withdraw(memory);
        }
        worker.ProgressWhile(() => memory.Sending > 0, () => _queues.Keys.ToList().ForEach(endpoint => endpoint.CloseNow()));
    }

    /// <summary>A peer can be answered by this endpoint.</summary>
    public void Open(UcxEndpoint endpoint)
    {
        _queues.Add(endpoint, new UcxAnswerQueue(endpoint));
        for (var count = _early.Count; count > 0; count--)
        {
            Take(_early.Dequeue());
        }
    }

    /// <summary>The endpoint sends nothing more.</summary>
    public void Close(UcxEndpoint endpoint)
    {
        if (_queues.Remove(endpoint, out var queue))
        {
            queue.Close();
        }
    }

    /// <summary>A question has come.</summary>
    public void Take(ReadOnlySpan<byte> header)
    {
        if (UcxReadQuestion.TryRead(header, out var question))
        {
            Take(question);
        }
    }

    private void Take(in UcxReadQuestion question)
    {
        if (FindQueue(question.Asker) is { } queue)
        {
            if (queue.Waiting < WaitingMax)
            {
                queue.Add(question, Find(question));
            }
            return;
        }
        if (_early.Count == EarlyMax)
        {
            _early.Dequeue();
        }
        _early.Enqueue(question);
    }

    private UcxAnswerQueue? FindQueue(UInt128 asker)
    {
        foreach (var (endpoint, queue) in _queues)
        {
            if (endpoint.Peer == asker)
            {
                return queue;
            }
        }
        return null;
    }

    private UcxMemory? Find(in UcxReadQuestion question)
    {
        foreach (var memory in _published)
        {
            var offset = question.Address - (ulong)memory.Address; // Wraps far beyond the memory if it lies below.
            if (offset < (ulong)memory.Bytes && (ulong)question.Bytes <= (ulong)memory.Bytes - offset)
            {
                return memory;
            }
        }
        return null;
    }
}
