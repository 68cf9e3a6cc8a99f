using Ferry.Interleaving;
using Real = System.Threading.Volatile;

namespace Ferry.Cache;

/// <summary>Stands in for <see cref="Real"/>: every operation is a point where another may go first.</summary>
internal static class Volatile
{
    public static int Read(ref int location)
    {
        Explorer.Point();
        return Real.Read(ref location);
    }

    public static long Read(ref long location)
    {
        Explorer.Point();
        return Real.Read(ref location);
    }

    /// <summary>No point: only the tables' outer arrays are read so, which hold whatever a reader may ask for, old or new.</summary>
    public static T Read<T>(ref T location)
        where T : class => Real.Read(ref location);

    public static void Write(ref int location, int value)
    {
        Explorer.Point();
        Real.Write(ref location, value);
    }

    public static void Write(ref long location, long value)
    {
        Explorer.Point();
        Real.Write(ref location, value);
    }

    public static void Write<T>(ref T location, T value)
        where T : class => Real.Write(ref location, value);
}
