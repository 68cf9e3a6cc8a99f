using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Finds the records of a chunk that serve a query, without allocating. Not thread-safe: the store's lock guards it.</summary>
internal sealed class ShardFinder(RecordTable records, LayoutTable layouts)
{
    private readonly List<int> _records = [];
    private readonly List<KvLayout> _families = [];
    private readonly List<int> _members = [];
    private readonly List<int> _found = [];
    private readonly List<int> _chosen = [];
    private (int FirstHead, int Heads)[] _spans = new (int, int)[16];
    private (KvLayout? Preferred, KvLayout? Family) _lastEqual; // A chain asks for one family in one way: compare the two once.
    private (ChunkQuery? Query, int Layout, long Version) _lastOnly; // And its chunks have one layout: decide about it once.

    /// <summary>The preferred family if it covers the span, else the first usable one that does.</summary>
    /// <param name="firstRecord">First of the chunk's records.</param>
    /// <returns>In order of heads; empty on a miss. Valid until the next call.</returns>
    public List<int> Find(int firstRecord, ChunkQuery query)
    {
        _found.Clear();
        if (FindOnly(firstRecord, query) is var only && only != RecordTable.None)
        {
            _found.Add(only);
            return _found;
        }
        Gather(firstRecord);
        for (var index = 0; index < _records.Count; index++)
        {
            var family = _families[index];
            var isPreferred = IsPreferred(family, query);
            if ((_found.Count > 0 && !isPreferred) || !query.Takes(family) || _families.IndexOf(family) < index
                || (!isPreferred && query.IsUsable is not null && !query.IsUsable(family)))
            {
                continue;
            }
            if (TryCover(index, query) && (isPreferred || query.Preferred is null))
            {
                break;
            }
        }
        return _found;
    }

    /// <summary>The usual case: the chunk has one record, and it is whole and of the preferred family.</summary>
    /// <returns>None where it takes more to find out.</returns>
    public int FindOnly(int record, ChunkQuery query)
    {
        ref var slot = ref records[record];
        if (slot.Next != RecordTable.None)
        {
            return RecordTable.None;
        }
        if (slot.Layout == LayoutTable.OpaqueNumber)
        {
            return query.WantsOpaque ? record : RecordTable.None;
        }
        var asked = (query, slot.Layout, layouts.Version);
        if (asked == _lastOnly)
        {
            return record;
        }
        var layout = layouts.LayoutOf(slot);
        if (query.FirstHead != 0 || layout.Heads != layout.ModelHeads || (query.HeadCount != 0 && query.HeadCount > layout.Heads) || !query.Takes(layout)
            || !IsPreferred(layouts.FamilyOf(slot), query))
        {
            return RecordTable.None;
        }
        _lastOnly = asked;
        return record;
    }

    private bool IsPreferred(KvLayout family, ChunkQuery query)
    {
        if (query.Preferred is not { } preferred)
        {
            return false;
        }
        if (ReferenceEquals(_lastEqual.Preferred, preferred) && ReferenceEquals(_lastEqual.Family, family))
        {
            return true;
        }
        if (preferred != family)
        {
            return false;
        }
        _lastEqual = (preferred, family);
        return true;
    }

    private void Gather(int firstRecord)
    {
        _records.Clear();
        _families.Clear();
        for (var record = firstRecord; record != RecordTable.None; record = records[record].Next)
        {
            _records.Add(record);
            _families.Add(layouts.FamilyOf(records[record]));
        }
    }

    private bool TryCover(int firstMember, ChunkQuery query)
    {
        var family = _families[firstMember];
        _members.Clear();
        for (var index = firstMember; index < _records.Count; index++)
        {
            if (_families[index] == family)
            {
                _members.Add(_records[index]);
            }
        }
        if (_spans.Length < _members.Count)
        {
            _spans = new (int, int)[RecordStore.MaxRecordsPerChunk];
        }
        for (var index = 0; index < _members.Count; index++)
        {
            var layout = layouts.LayoutOf(records[_members[index]]);
            _spans[index] = (layout.FirstHead, layout.Heads);
        }
        var heads = query.HeadCount == 0 ? family.ModelHeads : query.HeadCount;
        if (!ShardCover.TryChoose(_spans.AsSpan(0, _members.Count), query.FirstHead, heads, _chosen))
        {
            return false;
        }
        _found.Clear();
        foreach (var index in _chosen)
        {
            _found.Add(_members[index]);
        }
        return true;
    }
}
