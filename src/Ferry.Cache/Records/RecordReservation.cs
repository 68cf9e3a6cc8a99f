using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Records;

/// <summary>Room for a record that nobody sees yet: fill it, then commit it. Disposing without a commit gives the room back.</summary>
/// <remarks>One owner, one thread at a time.</remarks>
public sealed class RecordReservation : IDisposable
{
    private readonly RecordStore _store;
    private readonly RecordMemory _memory;
    private readonly int _number;
    private readonly int _recordBytes;
    private readonly PutMode _mode;
    private readonly (KvKey Key, KvLayout Layout)? _arriving;
    private RecordChecksum? _checksum; // Of the payload bytes advanced over so far; null before the first.
    private UInt128? _wholeChecksum; // Of a payload that came in one piece.
    private int _advancedBytes;
    private int _ended;

    /// <param name="record">Its one reference is owned from now on.</param>
    /// <param name="arriving">What nobody else may reserve meanwhile; null for nothing.</param>
    internal RecordReservation(RecordStore store, int record, PutMode mode, (KvKey Key, KvLayout Layout)? arriving)
    {
        (_store, _number, _mode, _arriving) = (store, record, mode, arriving);
        ref var slot = ref store.Records[record];
        (_recordBytes, ArenaOffset) = (slot.RecordBytes, (long)slot.FirstUnit * store.Arena.AlignmentBytes);
        _memory = store.MemoryOf(record);
    }

    /// <summary>Header and payload; undefined until filled.</summary>
    public Memory<byte> Record => Bytes.Memory;

    /// <summary>The payload's place: behind the header, which <see cref="Commit"/> writes.</summary>
    public Memory<byte> Payload => Record[KvRecord.HeaderBytes..];

    /// <summary>Where the record starts, from the arena's base address.</summary>
    public long ArenaOffset { get; }

    private RecordMemory Bytes => Volatile.Read(ref _ended) == 0 ? _memory : throw new InvalidOperationException("The reservation was committed or given back.");

    /// <summary>Says that the next <paramref name="byteCount"/> bytes of the payload are in place, in order: their checksum is taken while the cache holds them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More bytes than the payload has.</exception>
    public void Advance(int byteCount)
    {
        var left = _recordBytes - KvRecord.HeaderBytes - _advancedBytes;
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteCount, left);
        _advancedBytes += byteCount;
        _checksum ??= new RecordChecksum();
        _checksum.Advance(Bytes.GetSpan().Slice(KvRecord.HeaderBytes, _advancedBytes));
    }

    /// <summary>Copies the next bytes of the payload to their place.</summary>
    /// <remarks>The checksum of a payload that comes in one piece is taken of the bytes given: they are in the cache, while those just written wait for their lines to come from memory.</remarks>
    /// <exception cref="ArgumentException">More bytes than the payload has left.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        var payload = Bytes.GetSpan()[KvRecord.HeaderBytes..];
        bytes.CopyTo(payload[_advancedBytes..]);
        if (bytes.Length < payload.Length)
        {
            Advance(bytes.Length);
            return;
        }
        _wholeChecksum = KvRecord.Checksum(bytes);
        _advancedBytes = bytes.Length;
    }

    /// <summary>Makes the record visible. The payload is in place; this computes its checksum, or ends the one that <see cref="Advance"/> or <see cref="Append"/> began, and writes the header in front of it.</summary>
    /// <param name="header">All but the checksum, which is filled in.</param>
    /// <returns>A lease of this record, or of the one that was there with the same key and layout: then these bytes are dropped.</returns>
    /// <exception cref="ArgumentException">The header does not fit the reserved size.</exception>
    /// <exception cref="InvalidOperationException">The payload was advanced over in part.</exception>
    public RecordLease Commit(KvRecordHeader header)
    {
        RequireFit(header);
        var bytes = Bytes.GetSpan();
        var payload = bytes[KvRecord.HeaderBytes..];
        if (_checksum is not null && _advancedBytes != payload.Length)
        {
            throw new InvalidOperationException($"Of the record's {payload.Length} payload bytes only {_advancedBytes} are in place.");
        }
        var sealedHeader = header with { PayloadChecksum = _wholeChecksum ?? _checksum?.End(payload) ?? KvRecord.Checksum(payload) };
        KvRecord.Write(sealedHeader, bytes);
        return Publish(sealedHeader);
    }

    /// <summary>Makes a record visible that came whole from elsewhere.</summary>
    /// <param name="header">As read from these very bytes by somebody who also verified the payload against it.</param>
    /// <returns>As <see cref="Commit"/>.</returns>
    public RecordLease CommitVerified(KvRecordHeader header)
    {
        RequireFit(header);
        return Publish(header);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            _store.Abandon(_number, _arriving);
        }
    }

    private void RequireFit(KvRecordHeader header)
    {
        _ = Bytes;
        if (header.RecordBytes != _recordBytes)
        {
            throw new ArgumentException($"The record has {header.RecordBytes} bytes, but {_recordBytes} were reserved.", nameof(header));
        }
        if (_arriving is { } arriving && (header.Key != arriving.Key || header.Layout != arriving.Layout))
        {
            throw new ArgumentException($"The room was reserved for another key or layout ({arriving.Layout}) than the header has ({header.Layout}).", nameof(header));
        }
    }

    private RecordLease Publish(KvRecordHeader header)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            throw new InvalidOperationException("The reservation was committed or given back.");
        }
        return _store.Publish(header, _number, _mode, _arriving);
    }
}
