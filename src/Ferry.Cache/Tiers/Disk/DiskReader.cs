using System.IO.Hashing;
using Ferry.Cache.Tiers.Disk.Index;
using Ferry.Cache.Tiers.Disk.Segments;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Reads and proves records; what is damaged leaves the index.</summary>
internal sealed class DiskReader(SegmentStore store, DiskIo reads, Reclaimer reclaimer, WriteSwitch writeSwitch, ILogger logger)
{
    private const int PieceBytes = 4 << 20; // What the measured disk takes as one request (max_sectors_kb): docs/measurements/disk.md.

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
            (var damage, header) = destination.Length <= PieceBytes
                ? await reads.RunAsync(() => ReadAndProve(record, segment, position, destination), cancellationToken)
                : await ReadAndProveInPiecesAsync(record, segment, position, destination, cancellationToken);
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
                    SegmentStore.Hold_NeedsLock(record.Segment);
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
        store.LetGo(segment);
    }

    /// <returns>What is wrong, or null and the header.</returns>
    private static (string? Damage, KvRecordHeader? Header) ReadAndProve(TierRecord record, DiskSegment segment, long position, Memory<byte> destination)
    {
        try
        {
            segment.File.Read(position, destination);
        }
        catch (EndOfStreamException error)
        {
            return (error.Message, null);
        }
        return KvRecord.TryRead(destination.Span, out var header, out var wrong) ? (OtherThan(record, header), header) : (wrong.ToString(), null);
    }

    /// <summary>All pieces are asked for at once; each is hashed while those behind it are still being read.</summary>
    private async Task<(string? Damage, KvRecordHeader? Header)> ReadAndProveInPiecesAsync(
        TierRecord record, DiskSegment segment, long position, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var pieces = new Task[(destination.Length + PieceBytes - 1) / PieceBytes];
        for (var index = 0; index < pieces.Length; index++)
        {
            var from = index * PieceBytes;
            pieces[index] = reads.RunAsync(() => segment.File.Read(position + from, PieceAt(from)), cancellationToken);
        }
        var (checksum, wrong) = (new XxHash128(), KvRecordError.None);
        KvRecordHeader? header = null;
        try
        {
            for (var index = 0; index < pieces.Length; index++)
            {
                await pieces[index];
                if (index == 0 && !KvRecord.TryReadHeader(destination.Span, out header, out wrong))
                {
                    return (wrong.ToString(), null);
                }
                checksum.Append(PieceAt(index * PieceBytes).Span[(index == 0 ? KvRecord.HeaderBytes : 0)..]);
            }
        }
        catch (EndOfStreamException error)
        {
            return (error.Message, null);
        }
        finally
        {
            await Task.WhenAll(pieces).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // They write into the caller's memory.
        }
        return header!.RecordBytes != destination.Length ? (nameof(KvRecordError.PayloadLength), null)
            : checksum.GetCurrentHashAsUInt128() != header.PayloadChecksum ? (nameof(KvRecordError.PayloadChecksum), null)
            : (OtherThan(record, header), header);

        Memory<byte> PieceAt(int from) => destination.Slice(from, Math.Min(PieceBytes, destination.Length - from));
    }

    private static string? OtherThan(TierRecord record, KvRecordHeader header)
    {
        var layout = header.Layout;
        return header.Key == record.Key && layout.FirstHead == record.FirstHead && layout.Heads == record.Heads && layout.ModelHeads == record.ModelHeads
            ? null
            : "another record than the index names";
    }
}
