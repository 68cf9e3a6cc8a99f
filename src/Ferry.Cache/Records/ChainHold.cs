using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Counts of leases on the records of a chain, before anybody asks for the leases themselves: looking a chain up costs no object a chunk. One owner.</summary>
internal sealed class ChainHold(RecordStore store, int chunkCount) : IDisposable
{
    private readonly (int Start, int Count)[] _chunks = new (int, int)[chunkCount];
    private int[] _records = new int[chunkCount]; // Chunks with several shards make it grow.
    private KvLayout?[] _layouts = new KvLayout?[chunkCount];
    private int _count;

    public bool Has(int chunk) => _chunks[chunk].Count > 0;

    /// <summary>Enters the shards that were found for a chunk. Under the store's lock.</summary>
    public void Add(int chunk, List<int> shards, RecordTable records, LayoutTable layouts)
    {
        if (_count + shards.Count > _records.Length)
        {
            Array.Resize(ref _records, Math.Max(_records.Length * 2, _count + shards.Count));
            Array.Resize(ref _layouts, _records.Length);
        }
        _chunks[chunk] = (_count, shards.Count);
        foreach (var record in shards)
        {
            ref var slot = ref records[record];
            _records[_count] = record;
            _layouts[_count++] = slot.Layout == LayoutTable.OpaqueNumber ? null : layouts.LayoutOf(slot);
        }
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
            leases[shard] = new RecordLease(store, _records[start + shard], _layouts[start + shard]);
        }
        return new ChunkLease(key, leases);
    }

    /// <summary>Ends what was not taken of the chunks from one on.</summary>
    public void ReleaseFrom(int firstChunk)
    {
        Span<int> kept = _count <= 1024 ? stackalloc int[_count] : new int[_count];
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
