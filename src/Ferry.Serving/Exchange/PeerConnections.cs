using Ferry.Transfer;

namespace Ferry.Serving.Exchange;

/// <summary>Connections to lenders by endpoint, made when first needed and kept until they die or are the longest idle of too many. Thread-safe.</summary>
internal sealed class PeerConnections(ITransferAgent agent, int peersMax, TimeProvider time) : IAsyncDisposable
{
    // A dead host is asked again after this; until then each request would wait for the connect deadline in vain.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _peers = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();

    /// <summary>The connection to <paramref name="endpoint"/>, made now if there is none. Disposing it is not the caller's business.</summary>
    public async Task<ConnectResult> GetAsync(string endpoint, CancellationToken cancellationToken)
    {
        Entry entry;
        Entry? replaced = null;
        lock (_lock)
        {
            if (!_peers.TryGetValue(endpoint, out entry!) || IsOver(entry))
            {
                replaced = entry ?? (_peers.Count >= peersMax ? TakeLongestIdle_NeedsLock() : null);
                entry = new Entry(agent.ConnectAsync(endpoint, _closing.Token), time.GetTimestamp());
                _peers[endpoint] = entry;
            }
            entry.LastUsed = time.GetTimestamp();
        }
        if (replaced is not null)
        {
            await CloseAsync(replaced);
        }
        return await entry.Connecting.WaitAsync(cancellationToken);
    }

    /// <summary>How many live connections each medium carries.</summary>
    public IReadOnlyDictionary<string, int> CountByMedium()
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        lock (_lock)
        {
            foreach (var entry in _peers.Values)
            {
                if (entry.Connecting.IsCompletedSuccessfully && entry.Connecting.GetAwaiter().GetResult().Peer is { Closed.IsCompleted: false } peer)
                {
                    counts[peer.Medium.Name] = counts.GetValueOrDefault(peer.Medium.Name) + 1;
                }
            }
        }
        return counts;
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        Entry[] entries;
        lock (_lock)
        {
            entries = [.. _peers.Values];
            _peers.Clear();
        }
        foreach (var entry in entries)
        {
            await CloseAsync(entry);
        }
        _closing.Dispose();
    }

    private bool IsOver(Entry entry)
    {
        if (!entry.Connecting.IsCompletedSuccessfully)
        {
            return entry.Connecting.IsCompleted;
        }
        var connected = entry.Connecting.GetAwaiter().GetResult();
        return connected.Peer is { } peer ? peer.Closed.IsCompleted : time.GetElapsedTime(entry.Begun) > RetryAfter;
    }

    private Entry TakeLongestIdle_NeedsLock()
    {
        var oldest = _peers.MinBy(pair => pair.Value.LastUsed);
        _peers.Remove(oldest.Key);
        return oldest.Value;
    }

    private static async Task CloseAsync(Entry entry)
    {
        try
        {
            if ((await entry.Connecting).Peer is { } peer)
            {
                await peer.DisposeAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Never connected.
        }
    }

    private sealed class Entry(Task<ConnectResult> connecting, long begun)
    {
        public Task<ConnectResult> Connecting { get; } = connecting;

        public long Begun { get; } = begun;

        public long LastUsed { get; set; }
    }
}
