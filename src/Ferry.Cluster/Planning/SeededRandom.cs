namespace Ferry.Cluster.Planning;

/// <summary>SplitMix64: the same numbers from one seed on every machine and every .NET.</summary>
/// <remarks>Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.</remarks>
internal sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var mixed = _state += 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>In [0, 1).</summary>
    public double NextReal() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>In [0, count).</summary>
    public int NextIndex(int count) => (int)(NextReal() * count);

    public double NextExponential(double mean) => -mean * Math.Log(1 - NextReal());
}
