using Ferry.Kv.Layout;

namespace Ferry.Engine.KvCache;

/// <summary>Where a K vector lies in a rank's memory: <c>layer * Layer + block * Block + token * Token + head * Head</c>, in bytes; V is <see cref="Value"/> further.</summary>
/// <remarks>The vector itself is contiguous in every layout. Computed for a given number of blocks, since the block axis need not be outermost.</remarks>
internal readonly record struct KvStrides(long Layer, long Block, long Token, long Head, long Value)
{
    public static KvStrides Of(KvLayout layout, long blockCount)
    {
        long vector = (long)layout.HeadDim * layout.DType.Bytes();
        bool interleaved = layout.Packing == KvPacking.Interleaved;
        long element = interleaved ? 2 * vector : vector;
        bool headsFirst = layout.Order == KvOrder.Hnd;
        long token = headsFirst ? element : element * layout.Heads;
        long head = headsFirst ? element * layout.BlockTokens : element;
        long half = vector * layout.Heads * layout.BlockTokens;
        long block;
        long layer;
        long value = interleaved ? vector : half;
        if (layout.BlockMajor)
        {
            layer = 2 * half;
            block = layer * layout.Layers;
        }
        else
        {
            layer = 2 * half * blockCount;
            bool split = layout.Packing == KvPacking.Split;
            block = split ? half : 2 * half;
            value = split ? half * blockCount : value;
        }
        return new KvStrides(layer, block, token, head, value);
    }
}
