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
    private readonly Stack<int> _freeNumbers = [];
    private readonly IEvictionPolicy _policy;
    private readonly long _seed = BitConverter.ToInt64(Guid.NewGuid().ToByteArray(), 8);
    private DiskChunk?[] _chunks = new DiskChunk?[1 << BucketBitsMin]; // By number.
    private int _numbersUsed;
    private int[] _buckets = new int[1 << BucketBitsMin]; // One more than the number of the first chunk. By the hash's high bits, so that growing keeps their order and a walk its place.
    private int _bucketBits = BucketBitsMin;

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
        for (var chunk = At(_buckets[BucketOf(key.Hash)]); chunk is not null; chunk = At(chunk.NextInBucket))
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
        var present = TryFind(key);
        var chunk = present ?? AddChunk(key);
        if (present is { IsParked: false })
        {
            _policy.Parked(chunk.Number); // What it weighs changes: out and in again, so that the policy's sums hold.
        }
        (record.Next, chunk.First) = (chunk.First, record);
        if (present is null)
        {
            _policy.Added(chunk.Number);
        }
        else if (!present.IsParked)
        {
            _policy.Resumed(chunk.Number);
        }
        chunk.LastUsedUnixSeconds = Math.Max(chunk.LastUsedUnixSeconds, lastUsedUnixSeconds);
        record.Family.RecordCount++;
        RecordCount++;
        RecordBytes += record.RecordBytes;
    }

    /// <summary>Takes one record out, and its chunk with the last one.</summary>
    public void Remove(DiskChunk chunk, DiskRecord record, bool isEvicted)
    {
        var isLast = record.Next is null && ReferenceEquals(chunk.First, record);
        if (isLast)
        {
            RemoveChunk(chunk, isEvicted);
        }
        else if (!chunk.IsParked)
        {
            _policy.Parked(chunk.Number);
        }
        Unlink(chunk, record);
        if (!isLast && !chunk.IsParked)
        {
            _policy.Resumed(chunk.Number);
        }
        RecordCount--;
        RecordBytes -= record.RecordBytes;
        if (--record.Family.RecordCount == 0)
        {
            _families.Remove(record.Family.Code);
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
        while (_policy.Victim() is var number and not IEvictionPolicy.None)
        {
            var victim = _chunks[number]!;
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

    ref EvictionLink IEvictionNodes.LinkOf(int node) => ref _chunks[node]!.Link;

    long IEvictionNodes.BytesOf(int node)
    {
        var bytes = 0L;
        for (var record = _chunks[node]!.First; record is not null; record = record.Next)
        {
            bytes += record.ExtentBytes;
        }
        return bytes;
    }

    ulong IEvictionNodes.FingerprintOf(int node)
    {
        var chunk = _chunks[node]!;
        return XxHash3.HashToUInt64(chunk.Hash.Bytes, _seed) ^ (ulong)HashCode.Combine(chunk.Space.Salt, chunk.Space.Model);
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
            for (var chunk = At(_buckets[bucket]); chunk is not null; chunk = At(chunk.NextInBucket))
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
        if (!_freeNumbers.TryPop(out var number))
        {
            number = _numbersUsed++;
        }
        if (number == _chunks.Length)
        {
            Array.Resize(ref _chunks, 2 * number);
        }
        ref var bucket = ref _buckets[BucketOf(key.Hash)];
        var chunk = new DiskChunk(space, key.Hash, number) { NextInBucket = bucket };
        bucket = number + 1;
        _chunks[number] = chunk;
        space.ChunkCount++;
        ChunkCount++;
        return chunk;
    }

    private static void Unlink(DiskChunk chunk, DiskRecord record)
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
    }

    /// <summary>While it still has its records, so that the policy can weigh them.</summary>
    private void RemoveChunk(DiskChunk chunk, bool isEvicted)
    {
        ref var bucket = ref _buckets[BucketOf(chunk.Hash)];
        if (bucket == chunk.Number + 1)
        {
            bucket = chunk.NextInBucket;
        }
        else
        {
            var before = At(bucket)!;
            while (before.NextInBucket != chunk.Number + 1)
            {
                before = At(before.NextInBucket)!;
            }
            before.NextInBucket = chunk.NextInBucket;
        }
        chunk.NextInBucket = 0;
        if (_parked.Remove(chunk))
        {
            chunk.IsParked = false;
        }
        else
        {
            _policy.Removed(chunk.Number, isEvicted);
        }
        _chunks[chunk.Number] = null;
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
        _buckets = new int[old.Length * 2];
        _bucketBits++;
        foreach (var first in old)
        {
            for (var chunk = At(first); chunk is not null;)
            {
                var next = At(chunk.NextInBucket);
                ref var bucket = ref _buckets[BucketOf(chunk.Hash)];
                (chunk.NextInBucket, bucket) = (bucket, chunk.Number + 1);
                chunk = next;
            }
        }
    }

    private DiskChunk? At(int link) => link == 0 ? null : _chunks[link - 1];

    // Clients choose their hashes: with a seed that they do not know they cannot choose the bucket.
    private int BucketOf(in ChunkHash hash) => (int)((uint)XxHash3.HashToUInt64(hash.Bytes, _seed) >> (32 - _bucketBits));
}
