namespace Ferry.Kv.Keys;

/// <summary>Which rank wrote an object of LMCache's daemon: four bytes, world size first.</summary>
/// <param name="WorldSize">Ranks of the whole job.</param>
/// <param name="GlobalRank">0-based.</param>
/// <param name="LocalWorldSize">Ranks on the node; today LMCache writes <paramref name="WorldSize"/>.</param>
/// <param name="LocalRank">0-based; today LMCache writes <paramref name="GlobalRank"/>.</param>
public readonly record struct KvRank(byte WorldSize, byte GlobalRank, byte LocalWorldSize, byte LocalRank)
{
    public KvRank(byte worldSize, byte rank)
        : this(worldSize, rank, worldSize, rank)
    {
    }

    public uint Packed => ((uint)WorldSize << 24) | ((uint)GlobalRank << 16) | ((uint)LocalWorldSize << 8) | LocalRank;

    public static KvRank FromPacked(uint packed) => new((byte)(packed >> 24), (byte)(packed >> 16), (byte)(packed >> 8), (byte)packed);
}
