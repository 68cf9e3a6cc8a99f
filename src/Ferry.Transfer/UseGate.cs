namespace Ferry.Transfer;

/// <summary>Lets users in until it closes, and closes only when the last of them has left.</summary>
internal sealed class UseGate
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _users;
    private bool _closing;

    /// <summary>True once closing has begun: long uses end at their next step.</summary>
    public bool IsClosing => Volatile.Read(ref _closing);

    /// <summary>False once closing. Each true is paired with one <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_closing)
            {
                return false;
            }
            _users++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            if (--_users == 0 && _closing)
            {
                _idle.SetResult();
            }
        }
    }

    /// <summary>Lets nobody in any more. Ends when nobody is inside; may be called again.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            if (!_closing)
            {
                _closing = true;
                if (_users == 0)
                {
                    _idle.SetResult();
                }
            }
        }
        return _idle.Task;
    }
}
