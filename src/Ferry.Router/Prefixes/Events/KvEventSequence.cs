namespace Ferry.Router.Prefixes.Events;

/// <summary>Brings the batches of one publisher into order: finds gaps, has them replayed, and gives up the node's knowledge where that fails. One thread.</summary>
/// <param name="apply">Takes a batch in.</param>
/// <param name="forget">Nothing is known of the node any more.</param>
/// <param name="askReplay">Asks for the batches from a number on; null: the publisher replays nothing.</param>
/// <param name="maxHeld">Batches that may wait for a replay.</param>
internal sealed class KvEventSequence(Action<ReadOnlyMemory<byte>> apply, Action forget, Action<long>? askReplay, int maxHeld)
{
    private readonly Queue<(long Number, byte[] Payload)> _held = new();
    private long? _next;
    private bool _isReplaying;

    /// <summary>All batches since the first one seen were applied.</summary>
    public bool IsFollowing => _next is not null && !_isReplaying;

    public bool IsReplaying => _isReplaying;

    public long Gaps { get; private set; }

    /// <summary>The next batch's number; null: none was seen.</summary>
    public long? Next => _next;

    /// <summary>Begins: what the publisher still has in its buffer is asked for.</summary>
    public void Start()
    {
        if (askReplay is not null) { Ask(0); }
    }

    /// <summary>The node was away: nothing that was known need still be true.</summary>
    public void Reset()
    {
        forget();
        _next = null;
        _held.Clear();
        _isReplaying = false;
        Start();
    }

    public void Live(long number, byte[] payload)
    {
        if (_isReplaying)
        {
            if (_held.Count >= maxHeld) { _held.Dequeue(); }   // becomes a gap, which is found when the replay ends
            _held.Enqueue((number, payload));
            return;
        }
        if (_next is { } expected && number < expected)
        {
            // Numbers begin anew: the engine restarted, with an empty cache.
            forget();
            _next = null;
        }
        if (_next == number || (_next is null && (number == 0 || askReplay is null)))
        {
            Take(number, payload);
            return;
        }
        Gaps += _next is null ? 0 : 1;
        if (askReplay is null)
        {
            forget();   // a removal may have been in the gap
            Take(number, payload);
            return;
        }
        _held.Enqueue((number, payload));
        Ask(_next ?? 0);
    }

    /// <summary>A batch of the replay.</summary>
    public void Replayed(long number, byte[] payload)
    {
        if (!_isReplaying || number < _next) { return; }
        if (_next is not null && number > _next) { forget(); }   // the buffer does not reach back far enough
        Take(number, payload);
    }

    /// <summary>The replay is over, or did not come.</summary>
    public void ReplayEnded()
    {
        if (!_isReplaying) { return; }
        _isReplaying = false;
        while (_held.TryDequeue(out var held))
        {
            if (_next is { } expected && held.Number < expected)
            {
                continue;   // the replay had it
            }
            if (_next is not null && held.Number > _next) { forget(); }
            Take(held.Number, held.Payload);
        }
    }

    private void Ask(long from)
    {
        _isReplaying = true;
        askReplay!(from);
    }

    private void Take(long number, byte[] payload)
    {
        apply(payload);
        _next = number + 1;
    }
}
