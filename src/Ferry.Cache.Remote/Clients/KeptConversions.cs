using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Converted shards that stay in memory as records, up to a number of bytes: the oldest of them goes first. Thread-safe.</summary>
/// <remarks>What the memory evicted by itself is still counted until its turn comes, so the limit is never exceeded.</remarks>
internal sealed class KeptConversions(RecordStore memory, long bytesMax)
{
    private readonly Lock _lock = new();
    private readonly Queue<(KvKey Key, KvLayout Layout)> _oldestFirst = [];
    private long _bytes;

    /// <param name="room">Filled; owned from now on.</param>
    public RecordLease Keep(RecordReservation room, KvRecordHeader header)
    {
        var lease = room.Commit(header);
        var gone = new List<(KvKey Key, KvLayout Layout)>();
        lock (_lock)
        {
            _oldestFirst.Enqueue((header.Key, header.Layout));
            _bytes += header.RecordBytes;
            while (_bytes > bytesMax && _oldestFirst.TryDequeue(out var oldest))
            {
                _bytes -= KvRecord.HeaderBytes + oldest.Layout.PayloadBytes;
                gone.Add(oldest);
            }
        }
        foreach (var (key, layout) in gone)
        {
            memory.Remove(key, layout);
        }
        return lease;
    }
}
