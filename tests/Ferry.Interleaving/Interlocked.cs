using Ferry.Interleaving;
using Real = System.Threading.Interlocked;

namespace Ferry.Cache;

/// <summary>Stands in for <see cref="Real"/>: every operation is a point where another may go first.</summary>
internal static class Interlocked
{
    public static int Increment(ref int value)
    {
        Explorer.Point();
        return Real.Increment(ref value);
    }

    public static long Increment(ref long value)
    {
        Explorer.Point();
        return Real.Increment(ref value);
    }

    public static int Decrement(ref int value)
    {
        Explorer.Point();
        return Real.Decrement(ref value);
    }

    public static long Decrement(ref long value)
    {
        Explorer.Point();
        return Real.Decrement(ref value);
    }

    public static int Add(ref int value, int amount)
    {
        Explorer.Point();
        return Real.Add(ref value, amount);
    }

    public static long Add(ref long value, long amount)
    {
        Explorer.Point();
        return Real.Add(ref value, amount);
    }

    public static int Exchange(ref int location, int value)
    {
        Explorer.Point();
        return Real.Exchange(ref location, value);
    }

    public static long CompareExchange(ref long location, long value, long comparand)
    {
        Explorer.Point();
        return Real.CompareExchange(ref location, value, comparand);
    }

    /// <summary>No point: the explorer runs one thread at a time, so every write is seen at once and a fence has nothing to do.</summary>
    public static void MemoryBarrier() => Real.MemoryBarrier();
}
