using Ferry.Cache.Tiers.Disk.Index;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Chunks that stay until a time. Not thread-safe: the store's lock guards it.</summary>
internal sealed class DiskPins(DiskIndex index, int pinsMax, TimeProvider time)
{
    private readonly Dictionary<DiskChunk, DateTimeOffset> _pins = [];

    public int Count => _pins.Count;

    /// <summary>Pins, or moves the end of a pin to a later time.</summary>
    /// <returns>False when there are too many pins.</returns>
    public bool TryPin_NeedsLock(DiskChunk chunk, DateTimeOffset until)
    {
        if (!_pins.TryGetValue(chunk, out var before) && _pins.Count >= pinsMax)
        {
            ReleaseExpired_NeedsLock();
            if (_pins.Count >= pinsMax)
            {
                return false;
            }
        }
        _pins[chunk] = until > before ? until : before;
        chunk.IsPinned = true;
        return true;
    }

    /// <returns>False when it was not pinned.</returns>
    public bool Release_NeedsLock(DiskChunk chunk)
    {
        if (!_pins.Remove(chunk))
        {
            return false;
        }
        chunk.IsPinned = false;
        index.Unpark(chunk);
        return true;
    }

    /// <summary>Lets those go whose time has passed, and those whose chunk has left the index.</summary>
    public void ReleaseExpired_NeedsLock()
    {
        if (_pins.Count == 0)
        {
            return;
        }
        var now = time.GetUtcNow();
        foreach (var chunk in _pins.Where(pin => pin.Value <= now || pin.Key.First is null).Select(pin => pin.Key).ToArray())
        {
            Release_NeedsLock(chunk);
        }
    }
}
