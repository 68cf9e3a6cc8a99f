using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Records;

/// <summary>The right to read one record. While it lasts the bytes stay where they are, evicted, removed or not.</summary>
/// <remarks>The holder disposes it exactly once in effect: a second dispose does nothing. Reading <see cref="Record"/> afterwards throws.</remarks>
public sealed class RecordLease : IDisposable
{
    private readonly RecordStore _store;
    private readonly KvLayout? _layout; // Null for an opaque record, whose length says it.
    private RecordMemory? _memory;
    private KvRecordHeader? _header;
    private int _disposed;

    /// <summary>Takes over one reference to the record and one count of its leases.</summary>
    internal RecordLease(RecordStore store, int record, KvLayout? layout)
    {
        (_store, Number, _layout) = (store, record, layout);
        ref var slot = ref store.Records[record];
        (RecordBytes, ArenaOffset) = (slot.RecordBytes, (long)slot.FirstUnit * store.Arena.AlignmentBytes);
    }

    public KvKey Key => Header.Key;

    public KvLayout Layout => _layout ?? KvLayout.Opaque(RecordBytes - KvRecord.HeaderBytes);

    /// <summary>Read from the record's own bytes when first asked for.</summary>
    public KvRecordHeader Header => _header ??= KvRecord.ReadTrusted(Record.Span, Layout);

    /// <summary>Header and payload, as on disk and on the wire.</summary>
    public ReadOnlyMemory<byte> Record
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
            return (_memory ??= _store.MemoryOf(Number)).Memory;
        }
    }

    public ReadOnlyMemory<byte> Payload => Record[KvRecord.HeaderBytes..];

    /// <summary>Where the record starts, from the arena's base address.</summary>
    public long ArenaOffset { get; }

    public int RecordBytes { get; }

    /// <summary>False once somebody took the record out of the store by hand. While it is leased it is not evicted.</summary>
    public bool IsCurrent => Volatile.Read(ref _store.Records[Number].Chunk) != ChunkTable.None;

    /// <summary>Of the record in its store.</summary>
    internal int Number { get; }

    /// <summary>Another lease of the same record, with a life of its own.</summary>
    public RecordLease Duplicate()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return _store.Readers.Lease(Number, _layout);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _store.Readers.EndLease(Number);
        }
    }
}
