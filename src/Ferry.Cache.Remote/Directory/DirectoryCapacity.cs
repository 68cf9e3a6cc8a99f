using Ferry.Cache.Tiers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Directory;

/// <summary>Keeps a shared directory within its limit by deleting what was least recently used. Thread-safe.</summary>
/// <remarks>
/// Between walks it counts its own writes only; other nodes write too, so each time the limit seems reached it walks the directory again and counts
/// what is really there. A walk holds no more than <see cref="VictimsPerWalk"/> names in memory, whatever the directory holds.
/// </remarks>
internal sealed class DirectoryCapacity(string root, DirectoryTierOptions options, ILogger logger) : IDisposable
{
    private const int VictimsPerWalk = 4096;
    private const int WalksPerPut = 4; // A put that needs more room than four walks free finds the tier full.
    private const double KeepAfterEviction = 0.95; // So that a full directory is not walked again for the next record.

    private readonly SemaphoreSlim _walking = new(1, 1);
    private readonly Lock _lock = new();
    private long? _bytes;
    private long _evictions;
    private bool _cutOffSaid;

    public long Evictions => Volatile.Read(ref _evictions);

    /// <summary>Takes room for a record, deleting others if need be. False: there is no room.</summary>
    public async Task<bool> TryTakeAsync(long recordBytes, CancellationToken cancellationToken)
    {
        if (options.CapacityBytes is not { } capacity || TryTakeNow(recordBytes, capacity))
        {
            return true;
        }
        if (recordBytes > capacity)
        {
            return false;
        }
        await _walking.WaitAsync(cancellationToken);
        try
        {
            for (var walk = 0; walk < WalksPerPut; walk++)
            {
                if (TryTakeNow(recordBytes, capacity))
                {
                    return true; // Whoever walked before us made enough room.
                }
                Evict(capacity, recordBytes, cancellationToken);
            }
            return TryTakeNow(recordBytes, capacity);
        }
        finally
        {
            _walking.Release();
        }
    }

    public void GiveBack(long recordBytes)
    {
        lock (_lock)
        {
            _bytes -= recordBytes;
        }
    }

    public bool TryDelete(FileInfo file)
    {
        var bytes = DirectoryTier.TryGetLength(file);
        if (bytes is null)
        {
            return false;
        }
        try
        {
            file.Delete();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false; // Gone, or not ours to delete.
        }
        GiveBack(bytes.Value);
        RemoveIfEmpty(file.Directory);
        return true;
    }

    public TierUsage Measure(CancellationToken cancellationToken)
    {
        var (records, bytes, _, cutOff) = Walk(cancellationToken);
        return new TierUsage(records, bytes, options.CapacityBytes, cutOff);
    }

    public void Dispose() => _walking.Dispose();

    private bool TryTakeNow(long recordBytes, long capacity)
    {
        lock (_lock)
        {
            if (_bytes is not { } bytes || bytes + recordBytes > capacity)
            {
                return false;
            }
            _bytes = bytes + recordBytes;
            return true;
        }
    }

    private void Evict(long capacity, long recordBytes, CancellationToken cancellationToken)
    {
        var (_, bytes, oldest, cutOff) = Walk(cancellationToken);
        lock (_lock)
        {
            _bytes = bytes;
        }
        if (cutOff && !_cutOffSaid)
        {
            _cutOffSaid = true;
            DirectoryLog.ScanCutOff(logger, root, options.ScanFilesMax, capacity);
        }
        if (bytes + recordBytes <= capacity)
        {
            return;
        }
        var keep = Math.Min((long)(capacity * KeepAfterEviction), capacity - recordBytes);
        var deleted = 0;
        foreach (var file in oldest)
        {
            if (bytes <= keep)
            {
                break;
            }
            cancellationToken.ThrowIfCancellationRequested();
            var length = DirectoryTier.TryGetLength(file) ?? 0;
            if (TryDelete(file))
            {
                bytes -= length;
                deleted++;
            }
        }
        Interlocked.Add(ref _evictions, deleted);
        DirectoryLog.Evicted(logger, root, deleted, bytes, capacity);
    }

    /// <returns>What is there, and the files least recently used, oldest first.</returns>
    private (long Records, long Bytes, IReadOnlyList<FileInfo> Oldest, bool CutOff) Walk(CancellationToken cancellationToken)
    {
        var (records, total, seen, cutOff) = (0L, 0L, 0, false);
        var youngestFirst = new PriorityQueue<FileInfo, long>(VictimsPerWalk + 1, Comparer<long>.Create((left, right) => right.CompareTo(left)));
        foreach (var file in DirectoryWalk.Records(root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (++seen > options.ScanFilesMax)
            {
                cutOff = true;
                break;
            }
            if (DirectoryTier.TryGetLength(file) is not { } bytes)
            {
                continue;
            }
            records++;
            total += bytes;
            youngestFirst.Enqueue(file, file.LastWriteTimeUtc.Ticks);
            if (youngestFirst.Count > VictimsPerWalk)
            {
                youngestFirst.Dequeue();
            }
        }
        var oldest = new FileInfo[youngestFirst.Count];
        for (var index = oldest.Length - 1; index >= 0; index--)
        {
            oldest[index] = youngestFirst.Dequeue();
        }
        return (records, total, oldest, cutOff);
    }

    private static void RemoveIfEmpty(DirectoryInfo? directory)
    {
        try
        {
            directory?.Delete(recursive: false);
        }
        catch (IOException)
        {
            // Not empty, or gone already.
        }
        catch (UnauthorizedAccessException)
        {
        }
    }
}
