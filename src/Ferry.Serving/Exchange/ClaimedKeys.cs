using Ferry.Kv.Keys;

namespace Ferry.Serving.Exchange;

/// <summary>Chunks being fetched from peers: of several requests that want one, the first fetches it and the others wait. Thread-safe.</summary>
internal sealed class ClaimedKeys
{
    private readonly Lock _lock = new();
    private readonly Dictionary<KvKey, TaskCompletionSource> _claims = [];

    /// <summary>Claims the chunk for the caller, who calls <see cref="Release"/> whatever happens.</summary>
    /// <returns>False when somebody else fetches it; <paramref name="other"/> ends when that is over.</returns>
    public bool TryClaim(KvKey key, out Task other)
    {
        lock (_lock)
        {
            if (_claims.TryGetValue(key, out var claim))
            {
                other = claim.Task;
                return false;
            }
            _claims.Add(key, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            other = Task.CompletedTask;
            return true;
        }
    }

    public void Release(KvKey key)
    {
        lock (_lock)
        {
            if (_claims.Remove(key, out var claim))
            {
                claim.SetResult();
            }
        }
    }
}
