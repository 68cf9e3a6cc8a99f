using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange.Push;

/// <summary>Chooses how to hand over to each decode node, by what its requests have waited for each mode. Thread-safe.</summary>
/// <param name="peersMax">Decode nodes that are remembered; the one unused longest goes.</param>
internal sealed class HandoverCosts(int peersMax)
{
    private const int TriesFirst = 3; // Of each mode, before they are compared: the first one also connects.
    private const int ProbeEvery = 16; // One in so many hand-overs tries the mode that was tried longest ago: what was slow may have become fast.

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Peer> _peers = new(StringComparer.Ordinal);
    private long _clock;

    /// <param name="bytes">To be handed over, as far as is known.</param>
    /// <param name="modes">To choose from, the preferred first.</param>
    public HandoverMode Choose(string engineId, long bytes, ReadOnlySpan<HandoverMode> modes)
    {
        lock (_lock)
        {
            var peer = PeerOf_NeedsLock(engineId);
            peer.Choices++;
            var (best, bestCost) = (modes[0], double.PositiveInfinity);
            var (rarest, oldest) = (modes[0], modes[0]);
            foreach (var mode in modes)
            {
                var cost = peer[mode].Estimate.Samples > 0 ? peer[mode].Estimate.Predict(bytes) : double.PositiveInfinity;
                (best, bestCost) = cost < bestCost ? (mode, cost) : (best, bestCost);
                rarest = peer[mode].Tries < peer[rarest].Tries ? mode : rarest;
                oldest = peer[mode].LastTry < peer[oldest].LastTry ? mode : oldest;
            }
            var chosen = peer[rarest].Tries < TriesFirst ? rarest : peer.Choices % ProbeEvery == 0 ? oldest : best;
            peer[chosen].Tries++;
            peer[chosen].LastTry = ++_clock;
            return chosen;
        }
    }

    /// <summary>A decode node says what a hand-over took. A medium that changed makes all that was measured before it worthless.</summary>
    public void Add(string engineId, string medium, HandoverMode mode, long bytes, TimeSpan time)
    {
        lock (_lock)
        {
            var peer = PeerOf_NeedsLock(engineId);
            if (peer.Medium.Length > 0 && peer.Medium != medium)
            {
                _peers[engineId] = peer = new Peer { LastUsed = peer.LastUsed };
            }
            peer.Medium = medium;
            peer[mode].Estimate.Add(bytes, time);
        }
    }

    public IReadOnlyList<KvHandoverCost> Snapshot()
    {
        lock (_lock)
        {
            return [.. from peer in _peers
                       from mode in (HandoverMode[])[HandoverMode.Pull, HandoverMode.Push, HandoverMode.PushLayerwise]
                       let state = peer.Value[mode]
                       where state.Tries > 0 || state.Estimate.Samples > 0
                       let line = state.Estimate.Line
                       select new KvHandoverCost(peer.Key, peer.Value.Medium, mode, state.Tries, state.Estimate.Samples, line.FixedSeconds, line.SecondsPerByte)];
        }
    }

    private Peer PeerOf_NeedsLock(string engineId)
    {
        if (!_peers.TryGetValue(engineId, out var peer))
        {
            if (_peers.Count >= peersMax)
            {
                _peers.Remove(_peers.MinBy(pair => pair.Value.LastUsed).Key);
            }
            _peers.Add(engineId, peer = new Peer());
        }
        peer.LastUsed = ++_clock;
        return peer;
    }

    private sealed class Peer
    {
        private readonly Mode[] _modes = [new(), new(), new()];

        public string Medium { get; set; } = string.Empty;

        public long Choices { get; set; }

        public long LastUsed { get; set; }

        public Mode this[HandoverMode mode] => _modes[(int)mode - 1];
    }

    private sealed class Mode
    {
        public HandoverEstimate Estimate { get; } = new();

        public long Tries { get; set; }

        public long LastTry { get; set; }
    }
}
