using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote;

/// <summary>Counts what a tier does. Thread-safe.</summary>
internal sealed class TierCounters
{
    private long _reads;
    private long _readBytes;
    private long _misses;
    private long _damaged;
    private long _puts;
    private long _putBytes;
    private long _refused;

    public void Read(long bytes)
    {
        Interlocked.Increment(ref _reads);
        Interlocked.Add(ref _readBytes, bytes);
    }

    public void Missed() => Interlocked.Increment(ref _misses);

    public void Damaged() => Interlocked.Increment(ref _damaged);

    public void Put(long bytes)
    {
        Interlocked.Increment(ref _puts);
        Interlocked.Add(ref _putBytes, bytes);
    }

    public void Refused() => Interlocked.Increment(ref _refused);

    public TierCounts Snapshot(long evictions) => new(
        Volatile.Read(ref _reads), Volatile.Read(ref _readBytes), Volatile.Read(ref _misses), Volatile.Read(ref _damaged),
        Volatile.Read(ref _puts), Volatile.Read(ref _putBytes), evictions, Volatile.Read(ref _refused));
}
