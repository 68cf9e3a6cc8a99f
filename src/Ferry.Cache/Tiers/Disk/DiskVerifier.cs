using Ferry.Cache.Tiers.Disk.Index;
using Ferry.Cache.Tiers.Disk.Segments;
using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Reads and proves every record, in the memory of one piece for each that is read at a time.</summary>
internal sealed class DiskVerifier(
    SegmentStore store, DiskIo reads, TierVerifyOptions options, Func<DiskChunk, DiskRecord, DiskSegment, long, string, Task<bool>> dropAsync)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, string> _named = new(StringComparer.Ordinal);
    private long _records;
    private long _bytes;
    private long _damaged;

    public async Task<TierVerifyReport> RunAsync(long bytesTotal, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken };
        foreach (var some in DiskWalk.Records(store, (chunk, record) => (chunk, record)))
        {
            await Parallel.ForEachAsync(some, parallel, async (one, token) =>
            {
                await VerifyAsync(one.chunk, one.record, token);
                Report(bytesTotal, progress);
            });
        }
        return new TierVerifyReport(_records, _bytes, _damaged, [.. _named.Select(pair => new DamagedRecord(pair.Key, pair.Value))]);
    }

    private async Task VerifyAsync(DiskChunk chunk, DiskRecord record, CancellationToken cancellationToken)
    {
        DiskSegment segment;
        long position;
        lock (store.Gate)
        {
            if (record.IsGone)
            {
                return;
            }
            (segment, position) = (record.Segment, record.Position);
            SegmentStore.Hold_NeedsLock(segment);
        }
        string? damage;
        try
        {
            damage = await reads.RunAsync(() => FindDamage(chunk, record, segment, position), cancellationToken);
        }
        finally
        {
            store.LetGo(segment);
        }
        string location;
        lock (store.Gate)
        {
            if (damage is not null && !record.IsAt(segment, position))
            {
                return; // It left its place while it was read.
            }
            location = $"{segment.Name}@{position}";
        }
        Interlocked.Increment(ref _records);
        Interlocked.Add(ref _bytes, record.RecordBytes);
        if (damage is null)
        {
            return;
        }
        lock (_lock)
        {
            _damaged++;
            if (_named.Count < options.DamagedNamedMax)
            {
                _named[location] = damage;
            }
        }
        if (options.DropDamaged)
        {
            await dropAsync(chunk, record, segment, position, damage);
        }
    }

    private static string? FindDamage(DiskChunk chunk, DiskRecord record, DiskSegment segment, long position)
    {
        KvRecordHeader? header;
        string? damage;
        try
        {
            damage = new RecordProbe().FindDamage(segment.File, position, record.RecordBytes, null, null, out header);
        }
        catch (IOException error)
        {
            return error.Message; // One bad sector is one damaged record.
        }
        return damage ?? (header!.Key == chunk.Key && header.Layout.FirstHead == record.FirstHead && header.Layout.Heads == record.Heads
            ? null
            : "another record than the index names");
    }

    private void Report(long bytesTotal, IProgress<TierVerifyProgress>? progress)
    {
        lock (_lock)
        {
            progress?.Report(new TierVerifyProgress(Volatile.Read(ref _records), Volatile.Read(ref _bytes), _damaged, Math.Max(bytesTotal, Volatile.Read(ref _bytes))));
        }
    }
}
