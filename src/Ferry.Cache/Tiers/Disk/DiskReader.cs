using Ferry.Cache.Tiers.Disk.Index;
using Ferry.Cache.Tiers.Disk.Segments;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Reads and proves records; what is damaged leaves the index.</summary>
internal sealed class DiskReader(SegmentStore store, DiskIo reads, Reclaimer reclaimer, WriteSwitch writeSwitch, ILogger logger)
{
    private long _readCount;
    private long _readBytes;
    private long _misses;
    private long _damaged;

    public long Reads => Volatile.Read(ref _readCount);

    public long ReadBytes => Volatile.Read(ref _readBytes);

    public long Misses => Volatile.Read(ref _misses);

    public long Damaged => Volatile.Read(ref _damaged);

    public async Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (destination.Length != record.RecordBytes)
        {
            throw new ArgumentException($"The destination has {destination.Length} bytes, the record {record.RecordBytes}.", nameof(destination));
        }
        if (TryBeginRead(record) is not { } read)
        {
            Interlocked.Increment(ref _misses);
            return TierRead.Of(TierReadOutcome.Missing);
        }
        var (chunk, found, segment, position) = read;
        KvRecordHeader? header = null;
        try
        {
            var damage = await reads.RunAsync(() => ReadAndProve(record, segment, position, destination, out header), cancellationToken);
            if (damage is not null)
            {
                return TierRead.Of(await DropAsync(chunk, found, segment, position, damage) ? TierReadOutcome.Damaged : TierReadOutcome.Missing);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // One bad sector must not answer for ever where a new copy could lie elsewhere; that the device fails is the guard's to count.
            await DropAsync(chunk, found, segment, position, error.Message);
            throw;
        }
        finally
        {
            EndRead(chunk, segment);
        }
        Interlocked.Increment(ref _readCount);
        Interlocked.Add(ref _readBytes, destination.Length);
        return new TierRead(TierReadOutcome.Read, header);
    }

    /// <summary>Drops a damaged record, unless it has left the index, or its place, since it was read.</summary>
    public async Task<bool> DropAsync(DiskChunk chunk, DiskRecord record, DiskSegment segment, long position, string reason)
    {
        string location;
        lock (store.Gate)
        {
            if (!record.IsAt(segment, position))
            {
                return false;
            }
            location = record.Location;
            store.Remove_NeedsLock(chunk, record);
        }
        ReportDamage(location, reason);
        try
        {
            await reclaimer.ForgetAsync([record], CancellationToken.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            writeSwitch.Failed(error); // It may come back after a restart, and is found damaged again.
        }
        return true;
    }

    public void ReportDamage(string location, string reason)
    {
        Interlocked.Increment(ref _damaged);
        DiskLog.RecordDamaged(logger, location, reason);
    }

    private (DiskChunk Chunk, DiskRecord Record, DiskSegment Segment, long Position)? TryBeginRead(TierRecord wanted)
    {
        lock (store.Gate)
        {
            if (store.Index.TryFind(wanted.Key) is not { Readers: < ushort.MaxValue } chunk)
            {
                return null;
            }
            for (var record = chunk.First; record is not null; record = record.Next)
            {
                if (record.Family.Digest == wanted.Family && record.FirstHead == wanted.FirstHead && record.Heads == wanted.Heads && record.RecordBytes == wanted.RecordBytes)
                {
                    chunk.Readers++;
                    SegmentStore.BeginRead_NeedsLock(record.Segment);
                    store.Index.Touch(chunk, store.NowUnixSeconds);
                    return (chunk, record, record.Segment, record.Position);
                }
            }
            return null;
        }
    }

    private void EndRead(DiskChunk chunk, DiskSegment segment)
    {
        lock (store.Gate)
        {
            chunk.Readers--;
            store.Index.Unpark(chunk);
        }
        store.EndRead(segment);
    }

    /// <returns>What is wrong, or null.</returns>
    private static string? ReadAndProve(TierRecord record, DiskSegment segment, long position, Memory<byte> destination, out KvRecordHeader? header)
    {
        try
        {
            segment.File.Read(position, destination);
        }
        catch (EndOfStreamException error)
        {
            header = null;
            return error.Message;
        }
        if (!KvRecord.TryRead(destination.Span, out header, out var error2))
        {
            return error2.ToString();
        }
        var layout = header.Layout;
        return header.Key == record.Key && layout.FirstHead == record.FirstHead && layout.Heads == record.Heads && layout.ModelHeads == record.ModelHeads
            ? null
            : "another record than the index names";
    }
}
