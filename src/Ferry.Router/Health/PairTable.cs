using System.Collections.Concurrent;

namespace Ferry.Router.Health;

/// <summary>The pairs that have had a transfer. As many as prefill times decode nodes at most; those of nodes that left are dropped.</summary>
internal sealed class PairTable
{
    private readonly ConcurrentDictionary<(Node Prefill, Node Decode), PairState> _pairs = new();

    public IEnumerable<(Node Prefill, Node Decode, PairState State)> All => _pairs.Select(pair => (pair.Key.Prefill, pair.Key.Decode, pair.Value));

    public PairState Of(Node prefill, Node decode) => _pairs.GetOrAdd((prefill, decode), static _ => new PairState());

    public bool IsUsable(Node prefill, Node decode, long now) => !_pairs.TryGetValue((prefill, decode), out var state) || state.IsUsable(now);

    public bool TryUse(Node prefill, Node decode, long now, RouterOptions options) => !_pairs.TryGetValue((prefill, decode), out var state) || state.TryUse(now, options);

    public double BytesPerSecond(Node prefill, Node decode) => _pairs.TryGetValue((prefill, decode), out var state) ? state.BytesPerSecond : 0;

    public void Forget(Node node)
    {
        foreach (var key in _pairs.Keys.Where(pair => pair.Prefill == node || pair.Decode == node)) { _pairs.TryRemove(key, out _); }
    }
}
