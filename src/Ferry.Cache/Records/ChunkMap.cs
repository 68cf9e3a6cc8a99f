using System.Diagnostics;
using Ferry.Cache.Arena;

namespace Ferry.Cache.Records;

/// <summary>Numbers by hash: open addressing in many small segments, each of which grows by itself, so that no insertion ever moves more than its own segment.</summary>
/// <remarks>
/// An entry is a number and 32 bits of the hash beside it, so that other chunks are passed over without looking at them. The top bits of a hash choose
/// the segment, the low bits the place in it. Not thread-safe: the store's lock guards it.
/// </remarks>
internal sealed class ChunkMap
{
    private const int SegmentBits = 12; // A million chunks are 250 to a segment; 100 million are 25,000, moved in a tenth of a millisecond.
    private const int SlotsMin = 8;
    private const int FullNumerator = 3; // Three quarters: linear probing then looks at two or three places.
    private const int FullDenominator = 4;

    private readonly ulong[]?[] _segments = new ulong[]?[1 << SegmentBits]; // Entry: hash's upper half above, number + 1 below; 0 is empty.
    private readonly int[] _counts = new int[1 << SegmentBits];

    public int Count { get; private set; }

    public void Add(ulong hash, int number)
    {
        var segment = SegmentOf(hash);
        var slots = _segments[segment] ??= new ulong[SlotsMin];
        if ((_counts[segment] + 1) * FullDenominator > slots.Length * FullNumerator)
        {
            slots = _segments[segment] = Doubled(slots);
        }
        Place(slots, EntryOf(hash, number));
        _counts[segment]++;
        Count++;
    }

    /// <summary>Begins a search: the first number whose hash may be this one, or -1.</summary>
    /// <param name="place">For <see cref="Next"/>.</param>
    public int First(ulong hash, out int place)
    {
        if (_segments[SegmentOf(hash)] is not { } slots)
        {
            place = 0;
            return -1;
        }
        place = HomeOf(hash >> 32, slots.Length);
        return Probe(slots, hash, ref place);
    }

    /// <summary>The next number after a false match.</summary>
    public int Next(ulong hash, ref int place)
    {
        var slots = _segments[SegmentOf(hash)]!;
        place = (place + 1) & (slots.Length - 1);
        return Probe(slots, hash, ref place);
    }

    /// <summary>Asks for the memory that a search for this hash will read first.</summary>
    public void Prefetch(ulong hash)
    {
        if (_segments[SegmentOf(hash)] is { } slots)
        {
            CacheLines.Prefetch(ref slots[HomeOf(hash >> 32, slots.Length)]);
        }
    }

    public void Remove(ulong hash, int number)
    {
        var segment = SegmentOf(hash);
        var slots = _segments[segment]!;
        var mask = slots.Length - 1;
        var entry = EntryOf(hash, number);
        var hole = HomeOf(hash >> 32, slots.Length);
        while (slots[hole] != entry)
        {
            Debug.Assert(slots[hole] != 0, "removed what is not there");
            hole = (hole + 1) & mask;
        }
        // Close the gap: what was pushed past the hole moves into it, so that no search ends early.
        for (var place = (hole + 1) & mask; slots[place] != 0; place = (place + 1) & mask)
        {
            var home = HomeOf(slots[place] >> 32, slots.Length);
            if (((place - home) & mask) >= ((place - hole) & mask))
            {
                slots[hole] = slots[place];
                hole = place;
            }
        }
        slots[hole] = 0;
        _counts[segment]--;
        Count--;
    }

    private static int SegmentOf(ulong hash) => (int)(hash >> (64 - SegmentBits));

    private static ulong EntryOf(ulong hash, int number) => (hash & 0xffff_ffff_0000_0000) | (uint)(number + 1);

    /// <param name="tag">Upper half of the hash: its low bits, which the segment's number does not use.</param>
    private static int HomeOf(ulong tag, int slotCount) => (int)tag & (slotCount - 1);

    private static int Probe(ulong[] slots, ulong hash, ref int place)
    {
        for (; slots[place] != 0; place = (place + 1) & (slots.Length - 1))
        {
            if ((slots[place] ^ hash) >> 32 == 0)
            {
                return (int)(uint)slots[place] - 1;
            }
        }
        return -1;
    }

    private static ulong[] Doubled(ulong[] slots)
    {
        var doubled = new ulong[slots.Length * 2];
        foreach (var entry in slots)
        {
            if (entry != 0)
            {
                Place(doubled, entry);
            }
        }
        return doubled;
    }

    private static void Place(ulong[] slots, ulong entry)
    {
        var place = HomeOf(entry >> 32, slots.Length);
        while (slots[place] != 0)
        {
            place = (place + 1) & (slots.Length - 1);
        }
        slots[place] = entry;
    }
}
