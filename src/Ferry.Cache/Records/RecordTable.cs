using Ferry.Cache.Arena;

namespace Ferry.Cache.Records;

/// <summary>The records of a store by number, with the count of those who hold each. References are counted without a lock; entries come and go under the store's.</summary>
/// <remarks>A number is used again, under another generation: who kept an old number is refused and never sees another record's bytes.</remarks>
internal sealed class RecordTable
{
    public const int None = Slabs<RecordSlot>.None;

    private readonly Slabs<RecordSlot> _slots = new();
    private int _free = None;

    /// <summary>Entries that are held by somebody.</summary>
    public int HeldCount { get; private set; }

    public ref RecordSlot this[int record] => ref _slots[record];

    /// <summary>A new entry with one reference, which the caller ends.</summary>
    public int Add(ExtentHandle extent, int firstUnit, int recordBytes)
    {
        var record = _free;
        if (record == None)
        {
            record = _slots.Append();
        }
        else
        {
            _free = _slots[record].Next;
        }
        ref var slot = ref _slots[record];
        (slot.Extent, slot.FirstUnit, slot.RecordBytes) = (extent, firstUnit, recordBytes);
        (slot.Leases, slot.Chunk, slot.Next, slot.Layout, slot.Salt) = (0, None, None, None, None);
        Volatile.Write(ref slot.State, (slot.State & ~0xffff_ffffL) | 1);
        HeldCount++;
        return record;
    }

    /// <summary>Puts an entry without references where <see cref="Add"/> takes it from.</summary>
    public void Recycle(int record)
    {
        ref var slot = ref _slots[record];
        slot.Next = _free;
        _free = record;
        HeldCount--;
    }

    public void Prefetch(int record)
    {
        if ((uint)record < (uint)_slots.Count)
        {
            CacheLines.Prefetch(ref _slots[record]);
        }
    }

    public uint GenerationOf(int record) => (uint)(Volatile.Read(ref _slots[record].State) >>> 32);

    public int ReferencesOf(int record) => (int)Volatile.Read(ref _slots[record].State);

    /// <summary>Whether somebody holds the record, and it is still the one of this generation.</summary>
    public bool IsHeld(int record, uint generation)
    {
        var state = Volatile.Read(ref _slots[record].State);
        return (uint)(state >>> 32) == generation && (int)state > 0;
    }

    /// <summary>Adds a reference to a record that the caller knows to be held.</summary>
    public void AddReference(int record) => Interlocked.Increment(ref _slots[record].State);

    /// <summary>Adds a reference, unless the record is gone.</summary>
    public bool TryAddReference(int record, uint generation)
    {
        ref var state = ref _slots[record].State;
        var seen = Volatile.Read(ref state);
        while ((uint)(seen >>> 32) == generation && (int)seen > 0)
        {
            var before = Interlocked.CompareExchange(ref state, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }
            seen = before;
        }
        return false;
    }

    /// <summary>Ends one reference.</summary>
    /// <returns>True when it was the last: the caller frees the memory and recycles the entry. The generation has moved on already.</returns>
    /// <exception cref="InvalidOperationException">More ends than references.</exception>
    public bool EndReference(int record)
    {
        ref var state = ref _slots[record].State;
        var left = Interlocked.Decrement(ref state);
        if ((int)left > 0)
        {
            return false;
        }
        if ((int)left < 0)
        {
            Interlocked.Increment(ref state);
            throw new InvalidOperationException("A record was released more often than it was held.");
        }
        // Nobody adds a reference to a count of zero, so this is the only writer.
        Volatile.Write(ref state, (long)(((ulong)left >> 32) + 1) << 32);
        return true;
    }
}
