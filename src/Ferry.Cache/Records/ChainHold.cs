using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Counts of leases on the records of a chain, before anybody asks for the leases themselves: looking a chain up costs no object a chunk. One owner.</summary>
internal sealed class ChainHold(RecordStore store, int chunkCount) : IDisposable
{
    private readonly (int Start, int Count)[] _chunks = new (int, int)[chunkCount];
    private int[] _records = new int[chunkCount]; // Chunks with several shards make it grow.
    private KvLayout? _layout; // Of all records, until one has another.
    private KvLayout?[]? _layouts;
    private int _current;

    /// <summary>Records entered, whether or not they were taken since.</summary>
    public int Count { get; private set; }

    public bool Has(int chunk) => _chunks[chunk].Count > 0;

    /// <summary>What is added from now on is of this chunk. Under the store's lock.</summary>
    public void Begin(int chunk)
    {
        _current = chunk;
        _chunks[chunk] = (Count, 0);
    }

    /// <summary>Enters a record whose lease was counted. Under the store's lock.</summary>
    /// <param name="layout">Null for an opaque one.</param>
    public void Add(int record, KvLayout? layout)
    {
        if (Count == _records.Length)
        {
            Array.Resize(ref _records, Math.Max(4, Count * 2));
            if (_layouts is not null)
            {
                Array.Resize(ref _layouts, _records.Length);
            }
        }
        if (Count == 0)
        {
            _layout = layout;
        }
        if (_layouts is null && !ReferenceEquals(layout, _layout))
        {
            _layouts = new KvLayout?[_records.Length];
            _layouts.AsSpan(0, Count).Fill(_layout);
        }
        if (_layouts is not null)
        {
            _layouts[Count] = layout;
        }
        _records[Count++] = record;
        _chunks[_current].Count++;
    }

    /// <summary>The leases of a chunk, which are the caller's from then on; null when there are none, or they were taken.</summary>
    public ChunkLease? Take(int chunk, in KvKey key)
    {
        var (start, count) = _chunks[chunk];
        if (count == 0)
        {
            return null;
        }
        _chunks[chunk] = default;
        var leases = new RecordLease[count];
        for (var shard = 0; shard < count; shard++)
        {
            leases[shard] = new RecordLease(store, _records[start + shard], _layouts is null ? _layout : _layouts[start + shard]);
        }
        return new ChunkLease(key, leases);
    }

    /// <summary>Ends what was not taken of the chunks from one on.</summary>
    public void ReleaseFrom(int firstChunk)
    {
        Span<int> kept = Count <= 1024 ? stackalloc int[Count] : new int[Count];
        var count = 0;
        for (var chunk = firstChunk; chunk < _chunks.Length; chunk++)
        {
            _records.AsSpan(_chunks[chunk].Start, _chunks[chunk].Count).CopyTo(kept[count..]);
            count += _chunks[chunk].Count;
            _chunks[chunk] = default;
        }
        store.Readers.EndLeases(kept[..count]);
    }

    public void Dispose() => ReleaseFrom(0);
}
