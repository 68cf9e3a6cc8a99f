namespace Ferry.Cache.Eviction;

/// <summary>Remembers the fingerprints of chunks that left, the oldest forgotten first.</summary>
internal sealed class GhostQueue
{
    private const int StaleMin = 64;

    private readonly Queue<(ulong Fingerprint, long Number)> _order = new();
    private readonly Dictionary<ulong, long> _numbers = []; // The number with which a fingerprint stands in the queue; older ones of it count no more.
    private long _lastNumber;

    /// <summary>Remembers one, and no more than <paramref name="countMax"/> in all.</summary>
    public void Add(ulong fingerprint, int countMax)
    {
        _numbers[fingerprint] = ++_lastNumber;
        _order.Enqueue((fingerprint, _lastNumber));
        while (_numbers.Count > countMax)
        {
            var (oldest, number) = _order.Dequeue();
            if (IsRemembered(oldest, number))
            {
                _numbers.Remove(oldest);
            }
        }
        DropStale();
    }

    /// <summary>Forgets the fingerprint.</summary>
    /// <returns>Whether it was remembered.</returns>
    public bool TryTake(ulong fingerprint) => _numbers.Remove(fingerprint);

    private bool IsRemembered(ulong fingerprint, long number) => _numbers.TryGetValue(fingerprint, out var current) && current == number;

    /// <summary>What was taken leaves its place in the order; those are swept out once they are the greater part.</summary>
    private void DropStale()
    {
        if (_order.Count <= (2 * _numbers.Count) + StaleMin)
        {
            return;
        }
        for (var left = _order.Count; left > 0; left--)
        {
            var (fingerprint, number) = _order.Dequeue();
            if (IsRemembered(fingerprint, number))
            {
                _order.Enqueue((fingerprint, number));
            }
        }
    }
}
