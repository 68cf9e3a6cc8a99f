using Ferry.Cache.Eviction;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Chunks by key with their records, and the policies' orders over those that nobody reads. Not thread-safe: the store's lock guards it.</summary>
/// <remarks>Holds one reference to every record in it. What leaves is handed to <paramref name="release"/>, which ends that reference.</remarks>
internal sealed class RecordIndex(RecordTable records, SaltTable salts, EvictionPolicyKind policy, int unitBytes, CoarseClock clock, Action<int> release)
{
    private const int None = ChunkTable.None;

    private readonly ChunkTable _chunks = new(salts, unitBytes);
    private readonly List<int> _leaving = [];
    private EvictionGroups? _groups;
    private ShardFinder? _finder;

    public ChunkTable Chunks => _chunks;

    public LayoutTable Layouts { get; } = new();

    public int RecordCount { get; private set; }

    /// <summary>Records that a client stored under a key of its own.</summary>
    public int ClientRecordCount { get; private set; }

    /// <summary>By <see cref="EvictionReason"/>: chunks that left, and records that left alone.</summary>
    public long[] Left { get; } = new long[Enum.GetValues<EvictionReason>().Length];

    public long[] LeftBytes { get; } = new long[Enum.GetValues<EvictionReason>().Length];

    public IRecordObserver[] Observers { get; set; } = [];

    private EvictionGroups Groups => _groups ??= new EvictionGroups(policy, _chunks);

    private ShardFinder Finder => _finder ??= new ShardFinder(records, Layouts);

    /// <summary>The shards that serve the query; empty on a miss. Valid until the next call.</summary>
    public List<int> Find(int chunk, ChunkQuery query) => Finder.Find(_chunks[chunk].FirstRecord, query);

    /// <summary>The chunk's one record if it serves the query; none where <see cref="Find"/> must say.</summary>
    public int FindOnly(int chunk, ChunkQuery query) => Finder.FindOnly(_chunks[chunk].FirstRecord, query);

    /// <summary>The record of exactly this layout, or none. Of opaque records a chunk has one, whatever its length.</summary>
    public int FindRecord(int chunk, KvLayout layout)
    {
        if (chunk == None || !Layouts.TryFind(layout, out var number))
        {
            return RecordTable.None;
        }
        var record = _chunks[chunk].FirstRecord;
        while (record != RecordTable.None && records[record].Layout != number)
        {
            record = records[record].Next;
        }
        return record;
    }

    /// <summary>Makes a record visible. Its chunk has room for it, and no record of the same layout.</summary>
    public void Add(int record, in KvKey key, KvLayout layout, bool isClients)
    {
        var now = clock.Now;
        var chunk = _chunks.Find(key);
        var isNew = chunk == None;
        if (isNew)
        {
            chunk = _chunks.Add(key, now);
        }
        ref var slot = ref records[record];
        ref var entry = ref _chunks[chunk];
        var held = !isNew && (entry.Flags & ChunkFlags.Parked) == 0;
        if (held)
        {
            PolicyOf(chunk).Parked(chunk); // What it weighs changes: out and in again, so that the policy's sums hold.
        }
        (slot.Chunk, slot.Next, slot.Layout) = (chunk, entry.FirstRecord, Layouts.Take(layout));
        entry.FirstRecord = record;
        entry.RecordCount++;
        entry.Units += UnitsOf(slot.RecordBytes);
        if (isNew)
        {
            PolicyOf(chunk).Added(chunk);
        }
        else if (held)
        {
            PolicyOf(chunk).Resumed(chunk);
        }
        RecordCount++;
        ClientRecordCount += isClients ? 1 : 0;
        slot.Client = isClients;
        foreach (var observer in Observers)
        {
            observer.Stored(EventOf(chunk, 1, slot.RecordBytes, now));
        }
    }

    public void Used(int chunk, uint now)
    {
        _chunks[chunk].UsedAt = now;
        Touch(chunk, isUse: true);
    }

    /// <param name="isUse">False when only the order within a chain is put right.</param>
    public void Touch(int chunk, bool isUse)
    {
        if ((_chunks[chunk].Flags & ChunkFlags.Parked) == 0)
        {
            PolicyOf(chunk).Touched(chunk, isUse);
        }
    }

    /// <summary>Drops the chunk that the policies name, parking those on the way that are being read.</summary>
    /// <param name="salt">Only chunks of this salt, which has a quota; none for all.</param>
    public bool TryEvict(int salt, long capacityBytes)
    {
        for (var chunk = Victim(salt, capacityBytes); chunk != None; chunk = Victim(salt, capacityBytes))
        {
            if (!TryPark(chunk))
            {
                Drop(chunk, salt == SaltTable.None ? EvictionReason.Capacity : EvictionReason.Quota);
                return true;
            }
        }
        return false;
    }

    /// <summary>Gives a parked chunk back to its policy if nobody reads it any more.</summary>
    public void Unpark(int chunk)
    {
        ref var entry = ref _chunks[chunk];
        if ((entry.Flags & ChunkFlags.Parked) != 0 && !IsLeased(chunk))
        {
            entry.Flags &= ~ChunkFlags.Parked;
            PolicyOf(chunk).Resumed(chunk);
        }
    }

    /// <returns>Records that left.</returns>
    public int Drop(int chunk, EvictionReason reason)
    {
        ref var entry = ref _chunks[chunk];
        var (count, bytes) = ((int)entry.RecordCount, _chunks.BytesOf(chunk));
        if ((entry.Flags & ChunkFlags.Parked) == 0)
        {
            PolicyOf(chunk).Removed(chunk, reason is EvictionReason.Capacity or EvictionReason.Quota);
        }
        Count(chunk, count, bytes, reason);
        _leaving.Clear();
        for (var record = entry.FirstRecord; record != RecordTable.None; record = records[record].Next)
        {
            _leaving.Add(record);
        }
        _chunks.Remove(chunk);
        foreach (var record in _leaving)
        {
            Detach(record);
        }
        return count;
    }

    /// <summary>Drops one record, and its chunk when it was the last.</summary>
    public void DropRecord(int record, EvictionReason reason)
    {
        var chunk = records[record].Chunk;
        ref var entry = ref _chunks[chunk];
        if (entry.RecordCount == 1)
        {
            Drop(chunk, reason);
            return;
        }
        var held = (entry.Flags & ChunkFlags.Parked) == 0;
        if (held)
        {
            PolicyOf(chunk).Parked(chunk);
        }
        ref var link = ref entry.FirstRecord;
        while (link != record)
        {
            link = ref records[link].Next;
        }
        link = records[record].Next;
        entry.RecordCount--;
        entry.Units -= UnitsOf(records[record].RecordBytes);
        if (held)
        {
            PolicyOf(chunk).Resumed(chunk);
        }
        Count(chunk, 1, (long)UnitsOf(records[record].RecordBytes) * unitBytes, reason);
        Detach(record);
        Unpark(chunk); // The record that is gone may have been the one that was read.
    }

    /// <summary>Chunks that nobody holds against it.</summary>
    /// <param name="salt">Null for every salt's.</param>
    /// <param name="keep">Chunks that stay.</param>
    /// <returns>Records that left.</returns>
    public int Clear(string? salt, Func<int, bool> keep)
    {
        var dropped = 0;
        for (var chunk = 0; chunk < _chunks.NumberCount; chunk++)
        {
            if (_chunks.IsInUse(chunk) && (salt is null || salts[_chunks[chunk].Salt] == salt) && !keep(chunk))
            {
                dropped += Drop(chunk, EvictionReason.Cleared);
            }
        }
        return dropped;
    }

    public bool IsSoft(int chunk) => (_chunks[chunk].Flags & ChunkFlags.Soft) != 0;

    public void SetSoft(int chunk, bool isSoft) => Regroup(chunk, () => _chunks[chunk].Flags = isSoft ? _chunks[chunk].Flags | ChunkFlags.Soft : _chunks[chunk].Flags & ~ChunkFlags.Soft);

    /// <summary>Sets or lifts a salt's quota, and moves its chunks to their own order of eviction or back. Walks all chunks: people ask for it, requests do not.</summary>
    public void SetQuota(int salt, long? quota)
    {
        var group = salts.GroupOf(salt);
        var target = quota is null ? EvictionGroups.Shared : group != EvictionGroups.Shared ? group : Groups.Open();
        if (target == group)
        {
            salts.SetQuota(salt, quota, group);
            return;
        }
        var moved = new List<int>();
        for (var chunk = 0; chunk < _chunks.NumberCount; chunk++)
        {
            if (_chunks.IsInUse(chunk) && _chunks[chunk].Salt == salt)
            {
                moved.Add(chunk);
            }
        }
        moved.ForEach(chunk => LeavePolicy(chunk));
        salts.SetQuota(salt, quota, target);
        moved.ForEach(chunk => EnterPolicy(chunk));
        if (group != EvictionGroups.Shared)
        {
            Groups.Close(group);
        }
    }

    public bool IsLeased(int chunk)
    {
        for (var record = _chunks[chunk].FirstRecord; record != RecordTable.None; record = records[record].Next)
        {
            if (Volatile.Read(ref records[record].Leases) > 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <exception cref="InvalidOperationException">Index and policies contradict each other.</exception>
    public void CheckIntegrity()
    {
        var (chunks, parked, count) = (0, 0, 0);
        for (var chunk = 0; chunk < _chunks.NumberCount; chunk++)
        {
            if (!_chunks.IsInUse(chunk))
            {
                continue;
            }
            chunks++;
            parked += (_chunks[chunk].Flags & ChunkFlags.Parked) != 0 ? 1 : 0;
            var (inChunk, units) = (0, 0);
            for (var record = _chunks[chunk].FirstRecord; record != RecordTable.None; record = records[record].Next)
            {
                inChunk++;
                units += UnitsOf(records[record].RecordBytes);
                Require(records[record].Chunk == chunk && records.ReferencesOf(record) > 0, "a record does not know its chunk, or nobody holds it");
            }
            Require(inChunk == _chunks[chunk].RecordCount && units == _chunks[chunk].Units, "a chunk's sums are wrong");
            Require(_chunks.Find(_chunks.KeyOf(chunk)) == chunk, "a chunk is not found under its key");
            count += inChunk;
        }
        Require(chunks == _chunks.Count && count == RecordCount && Groups.Count + parked == chunks,
            $"{_chunks.Count} chunks, counted {chunks}; {RecordCount} records, counted {count}; the policies hold {Groups.Count}, parked {parked}");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"Record index: {what}.");
        }
    }

    private IEvictionPolicy PolicyOf(int chunk) => Groups.PolicyOf(salts.GroupOf(_chunks[chunk].Salt), IsSoft(chunk));

    private int UnitsOf(int recordBytes) => (int)(((long)recordBytes + unitBytes - 1) / unitBytes);

    private ChunkEvent EventOf(int chunk, int count, long bytes, uint now) => new(
        _chunks.KeyOf(chunk), count, bytes, CoarseClock.Between(_chunks[chunk].BornAt, now), CoarseClock.Between(_chunks[chunk].UsedAt, now));

    private void Count(int chunk, int count, long bytes, EvictionReason reason)
    {
        Left[(int)reason]++;
        LeftBytes[(int)reason] += bytes;
        foreach (var observer in Observers)
        {
            observer.Left(EventOf(chunk, count, bytes, clock.Now), reason);
        }
    }

    private void Detach(int record)
    {
        ref var slot = ref records[record];
        Layouts.Leave(slot.Layout);
        ClientRecordCount -= slot.Client ? 1 : 0;
        Volatile.Write(ref slot.Chunk, None);
        slot.Next = RecordTable.None;
        RecordCount--;
        release(record);
    }

    private void Regroup(int chunk, Action change)
    {
        LeavePolicy(chunk);
        change();
        EnterPolicy(chunk);
    }

    private void LeavePolicy(int chunk)
    {
        if ((_chunks[chunk].Flags & ChunkFlags.Parked) == 0)
        {
            PolicyOf(chunk).Parked(chunk); // What the policy knows of it goes along.
        }
    }

    private void EnterPolicy(int chunk)
    {
        if ((_chunks[chunk].Flags & ChunkFlags.Parked) == 0)
        {
            PolicyOf(chunk).Resumed(chunk);
        }
    }

    /// <summary>Takes a chunk that is being read out of the policy until its last lease ends. False when nobody reads it.</summary>
    private bool TryPark(int chunk)
    {
        if (!IsLeased(chunk))
        {
            return false;
        }
        ref var entry = ref _chunks[chunk];
        PolicyOf(chunk).Parked(chunk);
        entry.Flags |= ChunkFlags.Parked;
        Interlocked.MemoryBarrier(); // Pairs with the fence in RecordStore.EndLease: either it sees Parked, or this sees its lease ended.
        Unpark(chunk);
        return (entry.Flags & ChunkFlags.Parked) != 0;
    }

    /// <summary>Of the salts with a quota and the rest, the one that uses most of its share loses first; what is pinned softly goes after all that is not.</summary>
    private int Victim(int salt, long capacityBytes)
    {
        for (var pass = 0; pass < 2; pass++)
        {
            var isSoft = pass == 1;
            var group = salt != SaltTable.None ? salts.GroupOf(salt) : ChooseGroup(isSoft, capacityBytes);
            if (group >= 0 && Groups.HasVictim(group, isSoft) && Groups.PolicyOf(group, isSoft).Victim() is var victim && victim != IEvictionPolicy.None)
            {
                return victim;
            }
        }
        return None;
    }

    private int ChooseGroup(bool isSoft, long capacityBytes)
    {
        if (salts.WithQuota.Count == 0)
        {
            return EvictionGroups.Shared;
        }
        var (chosen, most) = (-1, -1.0);
        Consider(EvictionGroups.Shared, salts.SharedBytes / (double)Math.Max(1, capacityBytes - salts.QuotaBytesSum));
        foreach (var salt in salts.WithQuota)
        {
            Consider(salts.GroupOf(salt), salts.BytesOf(salt) / (double)Math.Max(1, salts.QuotaOf(salt)!.Value));
        }
        return chosen;

        void Consider(int group, double use)
        {
            if (use > most && Groups.HasVictim(group, isSoft))
            {
                (chosen, most) = (group, use);
            }
        }
    }
}
