using System.IO.Hashing;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Hosting.Admin;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>Reads a stream of records into the exchange. Every record is proved on its own, so what came before a break stays and is skipped the next time.</summary>
internal sealed class RecordImporter(RecordCache cache, RecordCacheOptions options)
{
    private static readonly TimeSpan RoomWait = TimeSpan.FromSeconds(30);

    private readonly XxHash128 _chain = new();
    private readonly byte[] _header = new byte[KvRecord.HeaderBytes];
    private long _seen;

    public long Imported { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Records that were there before.</summary>
    public long Present { get; private set; }

    /// <exception cref="AdminException">The stream is no export, is damaged, or ends too early; the counts say how far it came.</exception>
    public async Task ReadAsync(Stream source, CancellationToken cancellationToken)
    {
        var bytes = new byte[ExportFormat.TailBytes];
        await FillAsync(source, bytes.AsMemory(0, ExportFormat.HeadBytes), cancellationToken);
        Require(ExportFormat.FindHeadError(bytes));
        while (true)
        {
            await FillAsync(source, bytes.AsMemory(0, ExportFormat.FrameBytes), cancellationToken);
            switch (ExportFormat.ReadFrame(bytes))
            {
                case -1:
                    await FillAsync(source, bytes.AsMemory(ExportFormat.FrameBytes), cancellationToken);
                    Require(ExportFormat.FindTailError(bytes, _seen, _chain.GetCurrentHashAsUInt128()));
                    return;
                case { } recordBytes when recordBytes <= options.RecordBytesMax:
                    await TakeAsync(source, (int)recordBytes, cancellationToken);
                    break;
                case { } tooLong:
                    throw new AdminException(400, $"record {_seen + 1} has {tooLong} bytes; at most {options.RecordBytesMax} are taken.");
                default:
                    throw new AdminException(400, $"the export is damaged behind record {_seen}.");
            }
        }
    }

    private async Task TakeAsync(Stream source, int recordBytes, CancellationToken cancellationToken)
    {
        await FillAsync(source, _header, cancellationToken);
        if (!KvRecord.TryReadHeader(_header, out var header, out var error) || header.RecordBytes != recordBytes)
        {
            throw new AdminException(400, $"record {_seen + 1} is damaged ({error}). What came before it was imported.");
        }
        var (room, outcome) = await cache.Memory.ReserveAsync(header.Key, header.Layout, PutMode.KeepFirst, RoomWait, cancellationToken);
        using (room)
        {
            if (outcome is ReserveOutcome.Present or ReserveOutcome.Arriving)
            {
                await SkipAsync(source, recordBytes - KvRecord.HeaderBytes, cancellationToken);
                Present++;
            }
            else if (room is null)
            {
                throw new AdminException(507, $"record {_seen + 1} of {recordBytes} bytes found no room in memory ({outcome}). What was imported stays; import the file again when there is room.");
            }
            else
            {
                _header.CopyTo(room.Record);
                await FillAsync(source, room.Payload, cancellationToken);
                await CommitAsync(room, header, cancellationToken);
            }
        }
        _chain.Append(_header);
        _seen++;
    }

    private async Task CommitAsync(RecordReservation room, KvRecordHeader header, CancellationToken cancellationToken)
    {
        if (KvRecord.Verify(header, room.Payload.Span) is var error && error != KvRecordError.None)
        {
            throw new AdminException(400, $"record {_seen + 1} is damaged ({error}). What came before it was imported.");
        }
        using var lease = room.CommitVerified(header);
        await StoreBehindAsync(lease, cancellationToken);
        Imported++;
        Bytes += lease.RecordBytes;
    }

    /// <summary>An import has time: where the queue of a tier is full it waits for it instead of dropping.</summary>
    private async Task StoreBehindAsync(RecordLease lease, CancellationToken cancellationToken)
    {
        var queued = cache.SnapshotTiers().Sum(tier => tier.QueuedBytes);
        if (queued + lease.RecordBytes > Math.Min(options.WriteBehindBytesMax, cache.Memory.Arena.CapacityBytes / 4) / 2)
        {
            await cache.FlushAsync(cancellationToken);
        }
        cache.StoreBehind(lease);
    }

    private async Task FillAsync(Stream source, Memory<byte> bytes, CancellationToken cancellationToken)
    {
        if (await source.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken) < bytes.Length)
        {
            throw new AdminException(400, $"the export ends in the middle, behind record {_seen}. What came before was imported; import the whole file again, what is there is skipped.");
        }
    }

    private async Task SkipAsync(Stream source, int byteCount, CancellationToken cancellationToken)
    {
        var buffer = new byte[Math.Min(byteCount, 1 << 16)];
        for (var left = byteCount; left > 0; left -= Math.Min(left, buffer.Length))
        {
            await FillAsync(source, buffer.AsMemory(0, Math.Min(left, buffer.Length)), cancellationToken);
        }
    }

    private static void Require(string? error)
    {
        if (error is not null)
        {
            throw new AdminException(400, error);
        }
    }
}
