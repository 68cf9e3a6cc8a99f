using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>What one peer has asked for and not got yet. The worker's thread only.</summary>
internal sealed class UcxAnswerQueue(UcxEndpoint endpoint) : IUcxWork
{
    // Messages handed to UCX ahead, beside what its socket buffers.
    private const int SendingMax = 8;

    private readonly Queue<UcxAnswering> _waiting = new();
    private readonly Stack<UcxAnswerSend> _spare = new();
    private int _sending;
    private bool _isPumpDue;
    private bool _closed;

    public int Waiting => _waiting.Count;

    /// <param name="memory">That holds the range; null: none does, and the asker is told.</param>
    public void Add(in UcxReadQuestion question, UcxMemory? memory)
    {
        _waiting.Enqueue(new UcxAnswering(question, memory));
        PumpSoon();
    }

    /// <summary>Sends nothing more of a memory than what is under way.</summary>
    public void Withdraw(UcxMemory memory)
    {
        foreach (var answering in _waiting)
        {
            answering.Withdraw(memory);
        }
    }

    /// <summary>Sends nothing more; what is under way ends with its endpoint.</summary>
    public void Close()
    {
        _closed = true;
        _waiting.Clear();
        FreeIfOver();
    }

    /// <summary>A message is sent, or cannot be; then its endpoint fails and closes this.</summary>
    public void Sent(UcxAnswerSend send)
    {
        _sending--;
        if (send.Memory is { } memory)
        {
            memory.Sending--;
        }
        _spare.Push(send);
        PumpSoon();
    }

    /// <summary>Sends what there is to send.</summary>
    public void Run()
    {
        while (!_closed && _sending < SendingMax && _waiting.TryPeek(out var answering))
        {
            var send = _spare.TryPop(out var spare) ? spare : new UcxAnswerSend(this);
            var (offset, bytes) = answering.Next();
            if (answering.IsDone)
            {
                _waiting.Dequeue();
            }
            send.Memory = answering.Memory;
            _sending++;
            if (send.Memory is { } memory)
            {
                memory.Sending++;
            }
            var payload = bytes == 0 ? 0 : (nint)answering.Question.Address + offset;
            if (send.Begin(endpoint, new UcxReadAnswer(answering.Question.ReadId, offset), payload, bytes) != UcsStatus.InProgress)
            {
                Sent(send);
            }
        }
        _isPumpDue = false;
        FreeIfOver();
    }

    private void PumpSoon()
    {
        if (!_isPumpDue)
        {
            _isPumpDue = true; // Until the loop has ended: what it does itself calls it again.
            endpoint.Worker.Defer(this);
        }
    }

    private void FreeIfOver()
    {
        while (_closed && _sending == 0 && _spare.TryPop(out var send))
        {
            send.Dispose();
        }
    }
}
