using System.Runtime.InteropServices;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Cache.Tiers.Disk.Segments;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Puts: room, bytes, slot, sync, index, in this order, so that a record is found only when all of it is there.</summary>
internal sealed class DiskWriter(SegmentStore store, Reclaimer reclaimer, WriteSwitch writeSwitch) : IDisposable
{
    private const int WishesMax = 8; // Room that others take before this put can: so often it is asked for again.

    private readonly Dictionary<(KvKey Key, UInt128 Low, UInt128 High), TaskCompletionSource> _underWay = []; // Under the store's lock.
    private readonly CancellationTokenSource _closing = new();
    private TaskCompletionSource? _idle;
    private long _puts;
    private long _putBytes;
    private long _refused;

    public long Puts => Volatile.Read(ref _puts);

    public long PutBytes => Volatile.Read(ref _putBytes);

    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Told when there is something to tidy.</summary>
    public Action? Wake { get; set; }

    public async Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        if (record.Length != header.RecordBytes)
        {
            throw new ArgumentException($"The record has {record.Length} bytes, its header says {header.RecordBytes}.", nameof(record));
        }
        var layout = new byte[LayoutCode.CodeBytes];
        LayoutCode.Write(header.Layout, layout);
        var (low, high) = (MemoryMarshal.Read<UInt128>(layout), MemoryMarshal.Read<UInt128>(layout.AsSpan(16)));
        var name = (header.Key, low, high);
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (true)
        {
            Task other;
            lock (store.Gate)
            {
                ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
                // An opaque record of another length is another value under the same name: the new one takes its place.
                if (store.Index.TryFind(header.Key, layout) is { } present && present.RecordBytes == record.Length)
                {
                    return TierPutOutcome.Present;
                }
                if (!_underWay.TryGetValue(name, out var first))
                {
                    _underWay.Add(name, mine);
                    break;
                }
                other = first.Task;
            }
            await other.WaitAsync(cancellationToken); // Then it is there, or it is this one's turn.
        }
        try
        {
            return await PutAloneAsync(header, layout, record, cancellationToken);
        }
        finally
        {
            lock (store.Gate)
            {
                _underWay.Remove(name);
                if (_underWay.Count == 0)
                {
                    _idle?.TrySetResult();
                }
            }
            mine.SetResult();
        }
    }

    /// <summary>Takes no more puts and ends when those under way have.</summary>
    public async Task CloseAsync()
    {
        Task idle;
        lock (store.Gate)
        {
            _closing.Cancel();
            _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            idle = _underWay.Count == 0 ? Task.CompletedTask : _idle.Task;
        }
        await idle;
    }

    public void Dispose() => _closing.Dispose();

    private async Task<TierPutOutcome> PutAloneAsync(KvRecordHeader header, byte[] layout, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        if (record.Length > store.RecordBytesMax || IsCrowded(header.Key))
        {
            Interlocked.Increment(ref _refused);
            return TierPutOutcome.Full;
        }
        if (writeSwitch.TryEnter() is { } off)
        {
            Interlocked.Increment(ref _refused);
            return off;
        }
        try
        {
            if (await TryTakeAsync(record.Length, cancellationToken) is not { } place)
            {
                writeSwitch.Withdrawn();
                Interlocked.Increment(ref _refused);
                return TierPutOutcome.Full;
            }
            await StoreAsync(place, header, layout, record, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Interlocked.Increment(ref _refused);
            return writeSwitch.Failed(error).Outcome;
        }
        catch
        {
            writeSwitch.Withdrawn(); // Cancelled: that says nothing about the disk.
            throw;
        }
        writeSwitch.Succeeded();
        Interlocked.Increment(ref _puts);
        Interlocked.Add(ref _putBytes, record.Length);
        return TierPutOutcome.Stored;
    }

    private bool IsCrowded(in KvKey key)
    {
        lock (store.Gate)
        {
            var count = 0;
            for (var record = store.Index.TryFind(key)?.First; record is not null; record = record.Next)
            {
                count++;
            }
            return count >= RecordStore.MaxRecordsPerChunk;
        }
    }

    private async Task<DiskPlace?> TryTakeAsync(long recordBytes, CancellationToken cancellationToken)
    {
        for (var wish = 0; wish < WishesMax; wish++)
        {
            var (place, missing) = await store.TryTakeAsync(store.Puts, recordBytes, cancellationToken);
            if (place is not null)
            {
                if (place.Segment.IsSealed || IsLow())
                {
                    Wake?.Invoke();
                }
                return place;
            }
            if (!await reclaimer.MakeRoomAsync(missing, cancellationToken))
            {
                return null;
            }
        }
        return null;
    }

    private bool IsLow()
    {
        lock (store.Gate)
        {
            return store.FreeBytes_NeedsLock < store.Options.GrowBytes;
        }
    }

    private async Task StoreAsync(DiskPlace place, KvRecordHeader header, byte[] layout, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        var segment = place.Segment;
        var sequence = store.NextSequence();
        var now = store.NowUnixSeconds;
        var started = false;
        try
        {
            await store.Writes.RunAsync(
                () =>
                {
                    started = true;
                    segment.File.Write(place.Position, record);
                    Span<byte> entry = stackalloc byte[SegmentIndex.EntryBytes];
                    SegmentEntry.WriteRecord(entry, segment.Header.Seed, place.Slot, header, RecordProbe.HeaderChecksumOf(record.Span), sequence, place.Page, now);
                    segment.WriteEntry(place, entry);
                },
                cancellationToken);
            if (store.Options.Sync == DiskSyncPolicy.Every)
            {
                await segment.SyncAsync(store.Writes);
            }
        }
        catch (Exception error)
        {
            await GiveUpAsync(place, started && error is not OperationCanceledException);
            throw;
        }
        lock (store.Gate)
        {
            if (store.Index.TryFind(header.Key, layout) is { } before)
            {
                store.Remove_NeedsLock(store.Index.TryFind(header.Key)!, before);
            }
            DiskRecovery.Publish_NeedsLock(store, header.Key, layout, segment, place.Slot, place.Page, record.Length, sequence, now);
            segment.OpenPlaces--;
        }
    }

    /// <summary>The place becomes garbage. What a failed write left in its slot is emptied, as far as the disk still lets it.</summary>
    private async Task GiveUpAsync(DiskPlace place, bool isBroken)
    {
        if (isBroken)
        {
            lock (store.Gate)
            {
                store.Break_NeedsLock(place.Segment);
            }
            try
            {
                await store.Writes.RunAsync(() => place.Segment.EmptySlots([place.SlotPosition]), CancellationToken.None);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The segment has no checkpoint from now on, so the next start reads and proves whatever the slot names.
            }
        }
        place.Segment.MarkWritten(place);
        lock (store.Gate)
        {
            place.Segment.OpenPlaces--;
            place.Segment.AddDead_NeedsLock(new DeadExtent(place.SlotPosition, place.Position, place.ExtentBytes));
        }
    }
}
