namespace Ferry.Cache.Records;

/// <summary>Finds the records of a chunk that serve a query, without allocating. Not thread-safe: the store's lock guards it.</summary>
internal sealed class ShardFinder
{
    private readonly List<StoredRecord> _members = [];
    private readonly List<StoredRecord> _found = [];
    private readonly List<int> _chosen = [];
    private (int FirstHead, int Heads)[] _spans = new (int, int)[16];

    /// <summary>The preferred family if it covers the span, else the first usable one that does.</summary>
    /// <returns>In order of heads; empty on a miss. Valid until the next call.</returns>
    public IReadOnlyList<StoredRecord> Find(List<StoredRecord> records, ChunkQuery query)
    {
        _found.Clear();
        for (var index = 0; index < records.Count; index++)
        {
            var family = records[index].Family;
            var isPreferred = family == query.Preferred;
            if ((_found.Count > 0 && !isPreferred) || !query.Takes(family) || IsRepeated(records, index)
                || (!isPreferred && query.IsUsable is not null && !query.IsUsable(family)))
            {
                continue;
            }
            if (TryCover(records, index, query) && (isPreferred || query.Preferred is null))
            {
                break;
            }
        }
        return _found;
    }

    private static bool IsRepeated(List<StoredRecord> records, int index)
    {
        for (var earlier = 0; earlier < index; earlier++)
        {
            if (records[earlier].Family == records[index].Family)
            {
                return true;
            }
        }
        return false;
    }

    private bool TryCover(List<StoredRecord> records, int firstMember, ChunkQuery query)
    {
        var family = records[firstMember].Family;
        _members.Clear();
        for (var index = firstMember; index < records.Count; index++)
        {
            if (records[index].Family == family)
            {
                _members.Add(records[index]);
            }
        }
        if (_spans.Length < _members.Count)
        {
            _spans = new (int, int)[RecordStore.MaxRecordsPerChunk];
        }
        for (var index = 0; index < _members.Count; index++)
        {
            _spans[index] = (_members[index].Header.Layout.FirstHead, _members[index].Header.Layout.Heads);
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
