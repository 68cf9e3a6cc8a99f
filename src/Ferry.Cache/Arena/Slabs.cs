namespace Ferry.Cache.Arena;

/// <summary>A growing table of structs that never moves them: a reference into it stays good, and growing copies nothing.</summary>
/// <remarks>Entries that were given back are handed out again, last first. Not thread-safe, but for reading entries that the reader knows to be held.</remarks>
internal sealed class Slabs<T>
    where T : unmanaged
{
    public const int None = -1;

    private const int SlabBits = 12; // 4096 entries: small stores stay small, and large ones have one array for each 4096 records.
    private const int SlabEntries = 1 << SlabBits;

    private T[][] _slabs = [];

    /// <summary>Entries ever handed out; the highest index is one less.</summary>
    public int Count { get; private set; }

    public ref T this[int index] => ref Volatile.Read(ref _slabs)[index >> SlabBits][index & (SlabEntries - 1)];

    /// <summary>A new entry behind all others, zeroed.</summary>
    public int Append()
    {
        var slab = Count >> SlabBits;
        if (slab == _slabs.Length || _slabs[slab] is null)
        {
            var slabs = _slabs;
            if (slab == slabs.Length)
            {
                Array.Resize(ref slabs, Math.Max(4, slabs.Length * 2));
            }
            slabs[slab] = new T[SlabEntries];
            Volatile.Write(ref _slabs, slabs); // Readers without a lock see the old outer array or the new one; both hold every slab they may ask for.
        }
        return Count++;
    }
}
