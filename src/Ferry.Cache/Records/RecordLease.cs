using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.Cache.Records;

/// <summary>The right to read one record. While it lasts the bytes stay where they are, evicted, removed or not.</summary>
/// <remarks>The holder disposes it exactly once in effect: a second dispose does nothing. Reading <see cref="Record"/> afterwards throws.</remarks>
public sealed class RecordLease : IDisposable
{
    private readonly RecordStore _store;
    private readonly StoredRecord _record;
    private int _disposed;

    /// <summary>Takes over one reference to the record's slot and one count of its leases.</summary>
    internal RecordLease(RecordStore store, StoredRecord record)
    {
        _store = store;
        _record = record;
    }

    public KvKey Key => _record.Entry.Key;

    public KvRecordHeader Header => _record.Header;

    /// <summary>Header and payload, as on disk and on the wire.</summary>
    public ReadOnlyMemory<byte> Record
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
            return _record.Slot.Memory;
        }
    }

    public ReadOnlyMemory<byte> Payload => Record[^checked((int)Header.PayloadBytes)..];

    /// <summary>Where the record starts, from the arena's base address.</summary>
    public long ArenaOffset => _record.Slot.Offset;

    public int RecordBytes => _record.Slot.ByteCount;

    /// <summary>False once somebody took the record out of the store by hand. While it is leased it is not evicted.</summary>
    public bool IsCurrent => _store.IsCurrent(_record);

    internal StoredRecord Stored => _record;

    /// <summary>Another lease of the same record, with a life of its own.</summary>
    public RecordLease Duplicate()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return _store.Lease(_record);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _store.EndLease(_record);
        }
    }
}
