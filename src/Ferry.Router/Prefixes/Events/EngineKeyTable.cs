namespace Ferry.Router.Prefixes.Events;

/// <summary>
/// Which block an engine means by its own hash: events of removal name blocks by that hash alone. A fixed amount of memory; one thread.
/// </summary>
/// <remarks>
/// Set-associative like <see cref="PrefixIndex"/>. An entry that is given up takes its knowledge along: a removal that could not be
/// understood would leave a belief that nothing ends, so what is no longer followed is no longer believed.
/// </remarks>
internal sealed class EngineKeyTable
{
    public const int EntryBytes = 3 * sizeof(ulong);
    private const int Ways = 8;
    private const int SlotShift = 48;
    private const ulong TouchedMask = (1UL << SlotShift) - 1;

    private readonly ulong[] _table;   // by bucket: 8 mixed hashes, 8 keys, 8 times slot and stamp
    private readonly ulong _buckets;
    private ulong _stamp;

    public EngineKeyTable(long budgetBytes)
    {
        _buckets = (ulong)Math.Clamp(budgetBytes / (EntryBytes * Ways), 1, Array.MaxLength / (3 * Ways));
        _table = new ulong[(int)_buckets * 3 * Ways];
    }

    /// <summary>Called with the key and the slot of an entry that is given up.</summary>
    public Action<ulong, int>? Dropped { get; set; }

    public long Bytes => _table.LongLength * sizeof(ulong);

    /// <summary>The router's key of an engine's block; 0: unknown.</summary>
    public ulong Find(int slot, ulong engineHash)
    {
        var mixed = Mix(slot, engineHash);
        var place = Place(mixed);
        if (place < 0) { return 0; }
        _table[place + (2 * Ways)] = Meta(slot);
        return _table[place + Ways];
    }

    public void Set(int slot, ulong engineHash, ulong key)
    {
        var mixed = Mix(slot, engineHash);
        var place = Place(mixed);
        if (place < 0)
        {
            place = Oldest(mixed);
            if (_table[place] != 0) { Dropped?.Invoke(_table[place + Ways], SlotOf(place)); }
        }
        _table[place] = mixed;
        _table[place + Ways] = key;
        _table[place + (2 * Ways)] = Meta(slot);
    }

    public void Remove(int slot, ulong engineHash)
    {
        if (Place(Mix(slot, engineHash)) is >= 0 and var place) { _table[place] = 0; }
    }

    public void RemoveNode(int slot)
    {
        for (var first = 0; first < _table.Length; first += 3 * Ways)
        {
            for (var place = first; place < first + Ways; place++)
            {
                if (SlotOf(place) == slot) { _table[place] = 0; }
            }
        }
    }

    private int SlotOf(int place) => (int)(_table[place + (2 * Ways)] >> SlotShift);

    private ulong Meta(int slot) => ((ulong)slot << SlotShift) | (++_stamp & TouchedMask);

    private int First(ulong mixed) => (int)Math.BigMul(mixed, _buckets, out _) * 3 * Ways;

    private int Place(ulong mixed)
    {
        var first = First(mixed);
        var way = _table.AsSpan(first, Ways).IndexOf(mixed);
        return way < 0 ? -1 : first + way;
    }

    private int Oldest(ulong mixed)
    {
        var first = First(mixed);
        var oldest = first;
        for (var place = first; place < first + Ways; place++)
        {
            if (_table[place] == 0) { return place; }
            if ((_table[place + (2 * Ways)] & TouchedMask) < (_table[oldest + (2 * Ways)] & TouchedMask)) { oldest = place; }
        }
        return oldest;
    }

    private static ulong Mix(int slot, ulong hash) => Math.Max(1, Policies.PowerOfTwoPolicy.Mix(hash ^ ((ulong)(slot + 1) * 0x9E3779B97F4A7C15)));
}
