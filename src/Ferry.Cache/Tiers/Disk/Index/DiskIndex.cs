using System.IO.Hashing;
using System.Runtime.InteropServices;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Tiers.Disk.Index;

/// <summary>Chunks by key, in a table made for few bytes a record, and the policy's order over them. Not thread-safe: the store's lock guards it.</summary>
internal sealed class DiskIndex : IEvictionNodes
{
    private const int BucketBitsMin = 8;

    private readonly Dictionary<(string Salt, UInt128 Model), DiskSpace> _spaces = [];
    private readonly Dictionary<(UInt128 Low, UInt128 High), DiskFamily> _families = [];
    private readonly HashSet<DiskChunk> _parked = [];
    private readonly long _seed = BitConverter.ToInt64(Guid.NewGuid().ToByteArray(), 8);
    private DiskChunk?[] _buckets = new DiskChunk?[1 << BucketBitsMin]; // By the hash's high bits, so that growing keeps their order and a walk its place.
    private int _bucketBits = BucketBitsMin;
    private readonly List<DiskChunk?> _byNumber = [];
    private readonly Stack<int> _freeNumbers = [];
    private readonly IEvictionPolicy _policy;

    public DiskIndex(EvictionPolicyKind policy) => _policy = policy.Create(this);

    public int ChunkCount { get; private set; }

    public long RecordCount { get; private set; }

    /// <summary>Header and payload of all records.</summary>
    public long RecordBytes { get; private set; }

    public DiskChunk? TryFind(in KvKey key)
    {
        if (!_spaces.TryGetValue((key.Salt, key.Model), out var space))
        {
            return null;
        }
        for (var chunk = _buckets[BucketOf(key.Hash)]; chunk is not null; chunk = chunk.NextInBucket)
        {
            if (ReferenceEquals(chunk.Space, space) && chunk.Hash == key.Hash)
            {
                return chunk;
            }
        }
        return null;
    }

    /// <summary>The record of exactly this name, or null.</summary>
    /// <param name="layout">A <see cref="LayoutCode"/>.</param>
    public DiskRecord? TryFind(in KvKey key, ReadOnlySpan<byte> layout)
    {
        var (firstHead, heads, _) = LayoutCode.HeadsOf(layout);
        return TryFind(key) is { } chunk && _families.TryGetValue(LayoutCode.FamilyOf(layout), out var family)
            ? chunk.Find(family, firstHead, heads)
            : null;
    }

    /// <summary>The family's one object.</summary>
    public DiskFamily FamilyOf(ReadOnlySpan<byte> layout)
    {
        var code = LayoutCode.FamilyOf(layout);
        if (!_families.TryGetValue(code, out var family))
        {
            var digest = XxHash3.HashToUInt64(MemoryMarshal.AsBytes([code.Low, code.High]));
            var ofModel = ShardCover.FamilyOf(LayoutCode.Read(layout, 0));
            family = new DiskFamily(code, digest, ofModel.ModelHeads, !ofModel.IsOpaque && ofModel.FindErrors().Count == 0 ? ofModel : null);
            _families.Add(code, family);
        }
        return family;
    }

    /// <summary>Adds a record whose name is not there.</summary>
    public void Add(in KvKey key, DiskRecord record, uint lastUsedUnixSeconds)
    {
        var chunk = TryFind(key) ?? AddChunk(key);
        (record.Next, chunk.First) = (chunk.First, record);
        chunk.RecordBytes += record.RecordBytes;
        chunk.LastUsedUnixSeconds = Math.Max(chunk.LastUsedUnixSeconds, lastUsedUnixSeconds);
        record.Family.RecordCount++;
        RecordCount++;
        RecordBytes += record.RecordBytes;
    }

    /// <summary>Takes one record out, and its chunk with the last one.</summary>
    public void Remove(DiskChunk chunk, DiskRecord record)
    {
        if (ReferenceEquals(chunk.First, record))
        {
            chunk.First = record.Next;
        }
        else
        {
            var before = chunk.First!;
            while (!ReferenceEquals(before.Next, record))
            {
                before = before.Next!;
            }
            before.Next = record.Next;
        }
        record.Next = null;
        chunk.RecordBytes -= record.RecordBytes;
        RecordCount--;
        RecordBytes -= record.RecordBytes;
        if (--record.Family.RecordCount == 0)
        {
            _families.Remove(record.Family.Code);
        }
        if (chunk.First is null)
        {
            RemoveChunk(chunk);
        }
    }

    public void Touch(DiskChunk chunk, uint nowUnixSeconds)
    {
        chunk.LastUsedUnixSeconds = nowUnixSeconds;
        if (!chunk.IsParked)
        {
            _policy.Touched(chunk.Number, isUse: true);
        }
    }

    /// <summary>The chunk that the policy gives up next, parking those on the way that are read or pinned; null when all that is left is.</summary>
    public DiskChunk? TryGetVictim()
    {
        while (_policy.Victim() is var number && number != IEvictionPolicy.None)
        {
            var victim = _byNumber[number]!;
            if (victim.Readers == 0 && !victim.IsPinned)
            {
                return victim;
            }
            _policy.Parked(number);
            victim.IsParked = true;
            _parked.Add(victim);
        }
        return null;
    }

    /// <summary>Gives a chunk that is neither read nor pinned any more back to the policy.</summary>
    public void Unpark(DiskChunk chunk)
    {
        if (chunk.IsParked && chunk.Readers == 0 && !chunk.IsPinned && _parked.Remove(chunk))
        {
            chunk.IsParked = false;
            _policy.Resumed(chunk.Number);
        }
    }

    /// <summary>Makes room for so many chunks, so that a start does not grow step by step.</summary>
    public void Reserve(long chunkCount)
    {
        while ((1L << _bucketBits) < chunkCount && _bucketBits < 30)
        {
            Grow();
        }
    }

    /// <summary>Chunks from a place in the order of hashes on, bucket by bucket until there are enough.</summary>
    /// <returns>The place to go on from; null at the end.</returns>
    public uint? Walk(uint from, int countMin, List<DiskChunk> chunks)
    {
        for (var bucket = (int)(from >> (32 - _bucketBits)); bucket < _buckets.Length; bucket++)
        {
            if (chunks.Count >= countMin)
            {
                return (uint)bucket << (32 - _bucketBits);
            }
            for (var chunk = _buckets[bucket]; chunk is not null; chunk = chunk.NextInBucket)
            {
                chunks.Add(chunk);
            }
        }
        return null;
    }

    /// <exception cref="InvalidOperationException">Table, counts and policy contradict each other.</exception>
    public void CheckIntegrity()
    {
        var chunks = new List<DiskChunk>();
        Walk(0, int.MaxValue, chunks);
        var records = 0L;
        foreach (var chunk in chunks)
        {
            for (var record = chunk.First; record is not null; record = record.Next)
            {
                records++;
            }
        }
        if (chunks.Count != ChunkCount || records != RecordCount || _policy.Count + _parked.Count != ChunkCount || chunks.Exists(chunk => chunk.First is null)
            || _spaces.Values.Sum(space => space.ChunkCount) != ChunkCount || _families.Values.Sum(family => family.RecordCount) != RecordCount)
        {
            throw new InvalidOperationException(
                $"Disk index: {chunks.Count} chunks with {records} records; counted {ChunkCount} and {RecordCount}; the policy holds {_policy.Count}, parked {_parked.Count}.");
        }
    }

    ref EvictionLink IEvictionNodes.LinkOf(int node) => ref _byNumber[node]!.Link;

    long IEvictionNodes.BytesOf(int node) => _byNumber[node]!.RecordBytes;

    ulong IEvictionNodes.FingerprintOf(int node) => XxHash3.HashToUInt64(_byNumber[node]!.Hash.Bytes, _seed);

    private DiskChunk AddChunk(in KvKey key)
    {
        if (!_spaces.TryGetValue((key.Salt, key.Model), out var space))
        {
            space = new DiskSpace(key.Salt, key.Model);
            _spaces.Add((key.Salt, key.Model), space);
        }
        if (ChunkCount >= _buckets.Length && _bucketBits < 30)
        {
            Grow();
        }
        ref var bucket = ref _buckets[BucketOf(key.Hash)];
        if (!_freeNumbers.TryPop(out var number))
        {
            number = _byNumber.Count;
            _byNumber.Add(null);
        }
        var chunk = new DiskChunk(space, key.Hash) { NextInBucket = bucket, Number = number };
        _byNumber[number] = chunk;
        bucket = chunk;
        space.ChunkCount++;
        ChunkCount++;
        _policy.Added(number);
        return chunk;
    }

    private void RemoveChunk(DiskChunk chunk)
    {
        ref var link = ref _buckets[BucketOf(chunk.Hash)];
        if (ReferenceEquals(link, chunk))
        {
            link = chunk.NextInBucket;
        }
        else
        {
            var before = link!;
            while (!ReferenceEquals(before.NextInBucket, chunk))
            {
                before = before.NextInBucket!;
            }
            before.NextInBucket = chunk.NextInBucket;
        }
        chunk.NextInBucket = null;
        if (_parked.Remove(chunk))
        {
            chunk.IsParked = false;
        }
        else
        {
            _policy.Removed(chunk.Number, isEvicted: false);
        }
        _byNumber[chunk.Number] = null;
        _freeNumbers.Push(chunk.Number);
        ChunkCount--;
        if (--chunk.Space.ChunkCount == 0)
        {
            _spaces.Remove((chunk.Space.Salt, chunk.Space.Model));
        }
    }

    private void Grow()
    {
        var old = _buckets;
        _buckets = new DiskChunk?[old.Length * 2];
        _bucketBits++;
        foreach (var first in old)
        {
            for (var chunk = first; chunk is not null;)
            {
                var next = chunk.NextInBucket;
                ref var bucket = ref _buckets[BucketOf(chunk.Hash)];
                (chunk.NextInBucket, bucket) = (bucket, chunk);
                chunk = next;
            }
        }
    }

    // Clients choose their hashes: with a seed that they do not know they cannot choose the bucket.
    private int BucketOf(in ChunkHash hash) => (int)((uint)XxHash3.HashToUInt64(hash.Bytes, _seed) >> (32 - _bucketBits));
}
