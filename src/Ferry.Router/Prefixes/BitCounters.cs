using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ferry.Router.Prefixes;

/// <summary>Counts for up to 64 × words bits at a time: adding a word adds 1 to the counter of each of its set bits.</summary>
/// <remarks>
/// The counters stand upright: plane p holds bit p of all of them, so an addition is a ripple of carries over whole words, two on
/// average, where one counter a node would need one addition a node.
/// </remarks>
internal readonly ref struct BitCounters(Span<ulong> planes, int words)
{
    /// <summary>Counts to 65,535, more than <see cref="PromptKeys.MaxBlocks"/>.</summary>
    public const int Planes = 16;

    private readonly Span<ulong> _planes = planes;

    public void Add(int word, ulong bits)
    {
        // No plane overflows: there are at most MaxBlocks additions, so the carry ends within Planes.
        ref var plane = ref Unsafe.Add(ref MemoryMarshal.GetReference(_planes), word);
        while (bits != 0)
        {
            Debug.Assert(!Unsafe.IsAddressGreaterThan(ref plane, ref _planes[^1]), "a counter overflowed");
            var carry = plane & bits;
            plane ^= bits;
            bits = carry;
            plane = ref Unsafe.Add(ref plane, words);
        }
    }

    /// <param name="used">Planes that can hold a bit: the length of the number of additions.</param>
    public int Of(int slot, int used)
    {
        var count = 0;
        for (var plane = 0; plane < used; plane++)
        {
            count |= (int)(_planes[(plane * words) + (slot >> 6)] >> (slot & 63) & 1) << plane;
        }
        return count;
    }
}
