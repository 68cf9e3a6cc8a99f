using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>The contiguous pieces of a window of blocks: what a one-sided read or write is made of.</summary>
public static class PagedRuns
{
    /// <summary>Whether heads can be taken out of the blocks of <paramref name="pool"/> in pieces longer than one token's: all of them, or any run of them where heads stand before tokens.</summary>
    public static bool CanTake(KvLayout pool, int firstHead, int heads) =>
        (firstHead == pool.FirstHead && heads == pool.Heads) || pool.Order == KvOrder.Hnd;

    /// <summary>Pieces from one pool to another that differs in heads, tokens and layers only, joined where they touch on both sides.</summary>
    /// <param name="source">Layout of the pool that is read.</param>
    /// <param name="target">Its heads are those that are taken; the source has them all.</param>
    /// <param name="window">Begins at a block on both sides; whole blocks are taken.</param>
    /// <exception cref="ArgumentException">The two do not fit, or a block is none of its pool's.</exception>
    public static List<PagedRun> Of(
        KvLayout source, ReadOnlySpan<int> sourceBlocks, KvLayout target, ReadOnlySpan<int> targetBlocks, in PagedWindow window)
    {
        Check(source, target, window);
        var blockTokens = source.BlockTokens;
        var (from, to) = (AxisStrides.Of(source), AxisStrides.Of(target));
        var vectorBytes = (long)source.HeadDim * source.DType.Bytes();
        var isWhole = target.Heads == source.Heads;
        // With all heads the V half stands right behind the K half; else K and V are pieces of their own, unless each token has both.
        var isJoined = source.Packing == KvPacking.Interleaved || (source.Packing == KvPacking.Halves && isWhole);
        var pieceBytes = (isJoined ? 2 : 1) * vectorBytes * blockTokens * target.Heads;
        var layersAPiece = source.BlockMajor && isWhole ? window.Layers : 1;
        var headOffset = (target.FirstHead - source.FirstHead) * from.Head;
        var runs = new List<PagedRun>();
        for (var layer = 0; layer < window.Layers; layer += layersAPiece)
        {
            for (var part = 0; part < (isJoined ? 1 : 2); part++)
            {
                var sourceStart = (window.SourceLayer + layer) * from.Layer + part * from.Kv + headOffset;
                var targetStart = (window.TargetLayer + layer) * to.Layer + part * to.Kv;
                for (var index = 0; index * blockTokens < window.Tokens; index++)
                {
                    Add(runs, new PagedRun(
                        sourceStart + BlockAt(source, sourceBlocks, window.SourceToken / blockTokens + index) * from.Block,
                        targetStart + BlockAt(target, targetBlocks, window.TargetToken / blockTokens + index) * to.Block,
                        pieceBytes * layersAPiece));
                }
            }
        }
        return runs;
    }

    /// <summary>Where the blocks of a window lie in a pool, in order of address, joined where they touch. Both offsets of a run are those in the pool.</summary>
    /// <exception cref="ArgumentException">The window does not begin at a block, or a block is none of the pool's.</exception>
    public static List<PagedRun> Within(KvLayout pool, ReadOnlySpan<int> blocks, int firstLayer, int layers, int firstToken, int tokens)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (firstToken < 0 || tokens < 1 || firstToken % pool.BlockTokens != 0)
        {
            throw new ArgumentException($"Tokens {firstToken} to {(long)firstToken + tokens} do not begin at a block of {pool.BlockTokens}.", nameof(firstToken));
        }
        var count = (tokens + pool.BlockTokens - 1) / pool.BlockTokens;
        int[] sorted = [.. blocks.Slice(firstToken / pool.BlockTokens, count)];
        Array.Sort(sorted);
        return Of(pool, sorted, pool, sorted, new PagedWindow(firstLayer, firstLayer, layers, 0, 0, count * pool.BlockTokens));
    }

    private static void Add(List<PagedRun> runs, PagedRun run)
    {
        if (runs is [.., var last] && last.SourceOffset + last.Bytes == run.SourceOffset && last.TargetOffset + last.Bytes == run.TargetOffset)
        {
            runs[^1] = last with { Bytes = last.Bytes + run.Bytes };
        }
        else
        {
            runs.Add(run);
        }
    }

    private static long BlockAt(KvLayout pool, ReadOnlySpan<int> blocks, int index)
    {
        var block = PagedKv.BlockAt(blocks, index);
        return (uint)block < (uint)(pool.PayloadTokens / pool.BlockTokens)
            ? block
            : throw new ArgumentException($"Block {block} is none of the {pool.PayloadTokens / pool.BlockTokens} blocks of the pool.", nameof(blocks));
    }

    private static void Check(KvLayout source, KvLayout target, in PagedWindow window)
    {
        var same = target with { FirstHead = source.FirstHead, Heads = source.Heads, Tokens = source.Tokens, Layers = source.Layers };
        var endHead = target.FirstHead + target.Heads;
        if (same != source || source.BlockTokens == 0 || target.FirstHead < source.FirstHead || endHead > source.FirstHead + source.Heads
            || !CanTake(source, target.FirstHead, target.Heads))
        {
            throw new ArgumentException($"No pieces can be copied unchanged from the blocks of '{source}' to those of '{target}'.", nameof(target));
        }
        if (window.Layers < 1 || window.Tokens < 1 || window.SourceLayer < 0 || window.TargetLayer < 0 || window.SourceToken < 0 || window.TargetToken < 0
            || window.SourceLayer > source.Layers - window.Layers || window.TargetLayer > target.Layers - window.Layers
            || window.SourceToken % source.BlockTokens != 0 || window.TargetToken % source.BlockTokens != 0)
        {
            throw new ArgumentException($"{window} does not lie in both pools, or does not begin at a block.", nameof(window));
        }
    }
}
