using System.Diagnostics;
using System.Numerics;

namespace Ferry.Cache.Arena;

/// <summary>Hands out extents (runs of units) of one range by two-level segregated fit; knows numbers only, not memory.</summary>
/// <remarks>
/// TLSF (Masmano, Ripoll, Crespo, Real 2004): free extents wait in lists by size class, 16 classes to each power of two, and two levels of
/// bitmaps find a list with an extent large enough without a search. A freed extent is joined with its free neighbours at once, so that
/// a range from which everything was freed is one extent again: fragmentation does not grow with age. Allocate and free are O(1):
/// the only loop looks at no more than <see cref="OwnClassProbes"/> extents. Records of one model have one size, which need not lie on a class boundary; the
/// probe of the request's own class is what lets a full range reuse an extent of exactly that size.
/// Not thread-safe.
/// </remarks>
internal sealed class ExtentAllocator
{
    private const int ClassBits = 4;
    private const int ClassesPerPower = 1 << ClassBits;
    private const int Powers = 32;
    private const int OwnClassProbes = 16;
    private const int None = -1;
    private const int Taken = -2; // In place of the next free extent: this one is not free.

    private readonly int[] _heads = new int[Powers * ClassesPerPower];
    private readonly uint[] _classBitmaps = new uint[Powers];
    private readonly long _unitCount;
    private readonly Slabs<Extent> _extents = new();
    private int _unusedHead = None;
    private uint _powerBitmap;

    /// <param name="unitCount">Units of the range, 1 to 2^31 - 1.</param>
    public ExtentAllocator(long unitCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(unitCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(unitCount, int.MaxValue);
        _unitCount = unitCount;
        Array.Fill(_heads, None);
        var whole = NewExtent(0, (int)unitCount, None, None);
        Link(whole);
    }

    public long FreeUnits { get; private set; }

    /// <summary>Extents that are handed out.</summary>
    public int AllocatedCount { get; private set; }

    /// <summary>Takes an extent of exactly <paramref name="unitCount"/> units.</summary>
    /// <returns>False when no free extent is that large; then it says so at once.</returns>
    public bool TryAllocate(int unitCount, out ExtentHandle handle, out int firstUnit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(unitCount, 1);
        var index = FindFree(unitCount);
        if (index == None)
        {
            handle = default;
            firstUnit = 0;
            return false;
        }
        Unlink(index);
        if (_extents[index].Units > unitCount)
        {
            var rest = NewExtent(
                _extents[index].First + unitCount, _extents[index].Units - unitCount, index, _extents[index].Next);
            if (_extents[rest].Next != None)
            {
                _extents[_extents[rest].Next].Previous = rest;
            }
            _extents[index].Next = rest;
            _extents[index].Units = unitCount;
            Link(rest);
        }
        AllocatedCount++;
        handle = new ExtentHandle(index, _extents[index].Generation);
        firstUnit = _extents[index].First;
        return true;
    }

    /// <exception cref="InvalidOperationException">The handle was freed before: two owners believed in the same extent.</exception>
    public void Free(ExtentHandle handle)
    {
        if ((uint)handle.Index >= (uint)_extents.Count || _extents[handle.Index].Generation != handle.Generation || _extents[handle.Index].IsFree)
        {
            throw new InvalidOperationException("An arena extent was freed twice.");
        }
        AllocatedCount--;
        var index = handle.Index;
        _extents[index].Generation++;
        var previous = _extents[index].Previous;
        if (previous != None && _extents[previous].IsFree)
        {
            Unlink(previous);
            index = Join(previous, index);
        }
        var next = _extents[index].Next;
        if (next != None && _extents[next].IsFree)
        {
            Unlink(next);
            index = Join(index, next);
        }
        Link(index);
    }

    /// <summary>Walks everything and throws on the first contradiction. For tests and diagnosis: O(extents).</summary>
    /// <exception cref="InvalidOperationException">The books do not balance.</exception>
    public void CheckIntegrity()
    {
        var (free, allocated, units, expected, previousFree) = (0L, 0, 0L, 0, false);
        var first = FirstExtent();
        for (var (index, previous) = (first, None); index != None; (previous, index) = (index, _extents[index].Next))
        {
            ref var extent = ref _extents[index];
            Require(extent.Previous == previous, "a neighbour link is broken");
            Require(extent.First == expected && extent.Units > 0, "extents overlap or leave a gap");
            Require(!(extent.IsFree && previousFree), "two free neighbours were not joined");
            expected += extent.Units;
            units += extent.Units;
            free += extent.IsFree ? extent.Units : 0;
            allocated += extent.IsFree ? 0 : 1;
            previousFree = extent.IsFree;
        }
        Require(units == _unitCount, "extents do not cover the range");
        Require(free == FreeUnits, "the count of free units is wrong");
        Require(allocated == AllocatedCount, "the count of allocated extents is wrong");
        Require(CountListed() == free, "a free extent is in no list, or one that is not free is");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"Arena integrity: {what}.");
        }
    }

    private int FirstExtent()
    {
        for (var index = 0; index < _extents.Count; index++)
        {
            if (_extents[index].Units > 0 && _extents[index].First == 0)
            {
                return index;
            }
        }
        return None;
    }

    private long CountListed()
    {
        var listed = 0L;
        for (var list = 0; list < _heads.Length; list++)
        {
            var bit = (_classBitmaps[list / ClassesPerPower] >> (list % ClassesPerPower)) & 1;
            Require((bit == 1) == (_heads[list] != None), "a class bitmap disagrees with its list");
            for (var index = _heads[list]; index != None; index = _extents[index].NextFree)
            {
                Require(_extents[index].IsFree && ClassOf(_extents[index].Units) == list, "an extent is in the wrong list");
                listed += _extents[index].Units;
            }
        }
        return listed;
    }

    /// <summary>Class whose range of sizes contains <paramref name="units"/>.</summary>
    private static int ClassOf(int units)
    {
        var power = BitOperations.Log2((uint)units);
        var within = power >= ClassBits ? (units >> (power - ClassBits)) - ClassesPerPower : (units << (ClassBits - power)) - ClassesPerPower;
        return (power * ClassesPerPower) + within;
    }

    private int FindFree(int units)
    {
        var own = ClassOf(units);
        var index = _heads[own];
        for (var probe = 0; probe < OwnClassProbes && index != None; probe++, index = _extents[index].NextFree)
        {
            if (_extents[index].Units >= units)
            {
                return index;
            }
        }
        // Every extent of a later class is larger than the request, whatever its exact size.
        var power = (own + 1) / ClassesPerPower;
        var later = power < Powers ? _classBitmaps[power] & (uint.MaxValue << ((own + 1) % ClassesPerPower)) : 0;
        if (later == 0)
        {
            var powers = power + 1 < Powers ? _powerBitmap & (uint.MaxValue << (power + 1)) : 0;
            if (powers == 0)
            {
                return None;
            }
            power = BitOperations.TrailingZeroCount(powers);
            later = _classBitmaps[power];
        }
        return _heads[(power * ClassesPerPower) + BitOperations.TrailingZeroCount(later)];
    }

    private void Link(int index)
    {
        ref var extent = ref _extents[index];
        Debug.Assert(!extent.IsFree, "linked twice");
        var list = ClassOf(extent.Units);
        extent.PreviousFree = None;
        extent.NextFree = _heads[list];
        if (extent.NextFree != None)
        {
            _extents[extent.NextFree].PreviousFree = index;
        }
        _heads[list] = index;
        _classBitmaps[list / ClassesPerPower] |= 1u << (list % ClassesPerPower);
        _powerBitmap |= 1u << (list / ClassesPerPower);
        FreeUnits += extent.Units;
    }

    private void Unlink(int index)
    {
        ref var extent = ref _extents[index];
        Debug.Assert(extent.IsFree, "unlinked twice");
        var list = ClassOf(extent.Units);
        var nextFree = extent.NextFree;
        extent.NextFree = Taken;
        FreeUnits -= extent.Units;
        if (nextFree != None)
        {
            _extents[nextFree].PreviousFree = extent.PreviousFree;
        }
        if (extent.PreviousFree != None)
        {
            _extents[extent.PreviousFree].NextFree = nextFree;
            return;
        }
        _heads[list] = nextFree;
        if (nextFree == None)
        {
            var power = list / ClassesPerPower;
            _classBitmaps[power] &= ~(1u << (list % ClassesPerPower));
            _powerBitmap = _classBitmaps[power] == 0 ? _powerBitmap & ~(1u << power) : _powerBitmap;
        }
    }

    /// <summary>Adds the right neighbour to the left one; both are out of the lists.</summary>
    private int Join(int left, int right)
    {
        _extents[left].Units += _extents[right].Units;
        var next = _extents[right].Next;
        _extents[left].Next = next;
        if (next != None)
        {
            _extents[next].Previous = left;
        }
        _extents[right].Units = 0;
        _extents[right].Generation++;
        _extents[right].NextFree = _unusedHead;
        _unusedHead = right;
        return left;
    }

    private int NewExtent(int first, int units, int previous, int next)
    {
        var index = _unusedHead;
        if (index != None)
        {
            _unusedHead = _extents[index].NextFree;
        }
        else
        {
            index = _extents.Append();
        }
        _extents[index] = new Extent
        {
            First = first,
            Units = units,
            Previous = previous,
            Next = next,
            NextFree = Taken,
            PreviousFree = None,
            Generation = _extents[index].Generation,
        };
        return index;
    }

    /// <summary>A run of units. <c>Previous</c> and <c>Next</c> are its neighbours in the range; <c>Units</c> 0 marks an unused entry. 28 bytes: one for each record.</summary>
    private struct Extent
    {
        public int First;
        public int Units;
        public int Previous;
        public int Next;
        public int PreviousFree;
        public int NextFree;
        public uint Generation;

        public readonly bool IsFree => NextFree != Taken;
    }
}
