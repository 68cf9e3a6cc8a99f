using System.Collections.Concurrent;

namespace Ferry.Transfer;

/// <summary>The regions of one agent, by id.</summary>
internal sealed class RegionTable(int regionCountMax)
{
    private readonly ConcurrentDictionary<uint, MemoryRegion> _regions = new();
    private uint _lastId;
    private long _bytes;

    public int Count => _regions.Count;

    /// <summary>Of all regions.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>A region has been added; the media prepare it.</summary>
    public event Action<MemoryRegion>? Added;

    /// <summary>A region is no longer in use and about to be given back; the media let go of it.</summary>
    public event Action<MemoryRegion>? Removed;

    /// <exception cref="ArgumentException">Not a range of memory.</exception>
    /// <exception cref="InvalidOperationException">The table is full.</exception>
    public MemoryRegion Add(nint address, long bytes, SharedBacking? backing = null)
    {
        if (address == 0 || bytes < 1 || (ulong)address + (ulong)bytes < (ulong)address)
        {
            throw new ArgumentException($"Address 0x{address:x} with {bytes} bytes is not a range of memory.", nameof(address));
        }
        if (_regions.Count >= regionCountMax)
        {
            throw new InvalidOperationException($"{_regions.Count} regions are registered, the most allowed (RegionCountMax). Register one large arena instead.");
        }
        var region = new MemoryRegion(this, Interlocked.Increment(ref _lastId), address, bytes, backing);
        Interlocked.Add(ref _bytes, bytes);
        Added?.Invoke(region);
        _regions[region.Id] = region;
        return region;
    }

    public bool TryFind(uint id, out MemoryRegion region) => _regions.TryGetValue(id, out region!);

    /// <summary>Nobody finds it any more. False if it was removed before.</summary>
    public bool Remove(MemoryRegion region) => _regions.TryRemove(region.Id, out _);

    /// <summary>Nobody uses it any more. Called once, after <see cref="Remove"/>.</summary>
    public void Forget(MemoryRegion region)
    {
        Removed?.Invoke(region);
        Interlocked.Add(ref _bytes, -region.Bytes);
    }

    /// <summary>Deregisters all and waits until none is in use.</summary>
    public async Task CloseAsync()
    {
        foreach (var region in _regions.Values)
        {
            await region.DisposeAsync();
        }
    }
}
