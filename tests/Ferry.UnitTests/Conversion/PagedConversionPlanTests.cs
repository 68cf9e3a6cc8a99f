using System.Runtime.InteropServices;
using CsCheck;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.TestKit.Conversion;
using Xunit;

namespace Ferry.UnitTests.Conversion;

public sealed class PagedConversionPlanTests
{
    private static readonly KvLayout Pool = new()
    {
        Layers = 3,
        ModelHeads = 4,
        FirstHead = 0,
        Heads = 4,
        HeadDim = 16,
        Tokens = 12 * 16,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    private static readonly KvLayout Other = Pool with { Tokens = 4 * 48, BlockTokens = 48, Order = KvOrder.Nhd, Packing = KvPacking.Split };

    [Fact]
    public void Run_AnyWindowBetweenAnyTables_MovesThatWindowAndNothingElse() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 60], Gen.Int[0, 60], Gen.Int[1, 100], Gen.Int[0, 1_000_000])
            .Sample((sourceLayer, targetLayer, sourceToken, targetToken, tokens, seed) =>
            {
                var random = new Random(seed);
                var window = new PagedWindow(sourceLayer, targetLayer, 1, sourceToken, targetToken, tokens);
                int[] sourceBlocks = Shuffled(12, random), targetBlocks = Shuffled(4, random);
                var (source, target) = (Filled(Pool, seed), Filled(Other, seed + 1));
                var expected = target.ToArray();
                for (var token = 0; token < tokens; token++)
                {
                    foreach (var (kv, _, _, head, d) in KvReference.Elements(Pool with { Tokens = 1, Layers = 1 }))
                    {
                        var from = KvReference.Index(Pool, kv, sourceLayer, Place(sourceBlocks, 16, sourceToken + token), head, d);
                        var to = KvReference.Index(Other, kv, targetLayer, Place(targetBlocks, 48, targetToken + token), head, d);
                        KvReference.Write(expected, 2, to, KvReference.Read(source, 2, from));
                    }
                }
                Plan().Run([Paged(source, sourceBlocks)], Paged(target, targetBlocks), window);
                Assert.Equal(expected, target);
            }, iter: 300, threads: 1);

    [Fact]
    public void Run_OutsideEitherSide_WritesNothing()
    {
        var (source, target) = (Filled(Pool, 1), Filled(Other, 2));
        var before = target.ToArray();
        var all = new PagedWindow(0, 0, 3, 0, 0, 64);
        Throws(new(source.Length, [0, 1, 2, 12]), all); // no such block
        Throws(new(source.Length, [0, -1, 2, 3]), all);
        Throws(new(source.Length, [0, 1, 2]), all); // too few
        Throws(new(source.Length - 1, [0, 1, 2, 3]), all);
        foreach (var window in new[]
        {
            all with { Layers = 4 }, all with { Layers = 0 }, all with { SourceLayer = -1 }, all with { TargetLayer = 1 }, all with { Tokens = 0 }, all with { Tokens = 65 },
            all with { SourceToken = -1 }, all with { SourceToken = int.MaxValue }, all with { TargetToken = 150 },
        })
        {
            Throws(new(source.Length, [0, 1, 2, 3]), window);
        }
        Assert.Equal(before, target);

        void Throws((long Bytes, int[] Blocks) given, PagedWindow window) => Assert.Throws<ArgumentException>(() =>
            Plan().Run([new PagedKv(AddressOf(source), given.Bytes, given.Blocks)], Paged(target, [0, 1, 2, 3]), window));
    }

    [Fact]
    public void ClearTail_OfAPartialBlock_ZeroesItsUnusedTokensAlone()
    {
        var target = Filled(Other, 3);
        var expected = target.ToArray();
        foreach (var (kv, layer, token, head, d) in KvReference.Elements(Other with { Tokens = 48 }))
        {
            if (token >= 100 - 96) { KvReference.Write(expected, 2, KvReference.Index(Other, kv, layer, 48 + token, head, d), 0); }
        }
        PagedConversionPlan.ClearTail(Other, Paged(target, [3, 0, 1]), 100);
        Assert.Equal(expected, target);
        PagedConversionPlan.ClearTail(Other, Paged(target, [3, 0, 1]), 144); // whole blocks have no tail
        Assert.Equal(expected, target);
    }

    [Fact]
    public void Runs_OfNeighbouringBlocks_AreJoinedAndOfScatteredOnesAreNot()
    {
        var target = Pool with { Tokens = 64 };
        var window = new PagedWindow(0, 0, 1, 0, 0, 64);
        var block = 16 * 4 * 16 * 2 * 2L;
        Assert.Equal([new PagedRun(3 * block, 0, 4 * block)], PagedRuns.Of(Pool, [3, 4, 5, 6], target, default, window));
        Assert.Equal([new PagedRun(3 * block, 0, block), new PagedRun(5 * block, block, 2 * block), new PagedRun(1 * block, 3 * block, block)],
            PagedRuns.Of(Pool, [3, 5, 6, 1], target, default, window));
        // One head of four: a quarter of each block.
        var head = target with { FirstHead = 2, Heads = 1 };
        Assert.Equal([new PagedRun(3 * block + block / 2, 0, block / 4), new PagedRun(4 * block + block / 2, block / 4, block / 4)],
            PagedRuns.Of(Pool, [3, 4], head, default, window with { Tokens = 32 }));
        Assert.Throws<ArgumentException>(() => PagedRuns.Of(Pool, [12], target, default, window with { Tokens = 16 }));
        Assert.Throws<ArgumentException>(() => PagedRuns.Of(Pool with { Order = KvOrder.Nhd }, [1], head with { Order = KvOrder.Nhd }, default, window with { Tokens = 16 }));
        Assert.Throws<ArgumentException>(() => PagedRuns.Of(Pool, [1], target with { DType = KvDType.Float16 }, default, window with { Tokens = 16 }));
        Assert.Throws<ArgumentException>(() => PagedRuns.Of(Pool, [1, 2], target, default, window with { SourceToken = 8, Tokens = 16 }));
    }

    [Fact]
    public void Within_BlocksInAnyOrder_AreTheSameBytesInOrderOfAddress()
    {
        var block = 16 * 4 * 16 * 2 * 2L;
        var layer = 12 * block;
        Assert.Equal([new PagedRun(layer + block, layer + block, block), new PagedRun(layer + 3 * block, layer + 3 * block, 2 * block)],
            PagedRuns.Within(Pool, [9, 4, 1, 3], 1, 1, 16, 33)); // the first is not asked for, of the last one token
        // K and V of their own, and all layers of a block together.
        Assert.Equal(4, PagedRuns.Within(Pool with { Packing = KvPacking.Split }, [5, 4], 0, 2, 0, 32).Count);
        Assert.Equal([new PagedRun(6 * block, 6 * block, 3 * block), new PagedRun(15 * block, 15 * block, 3 * block)],
            PagedRuns.Within(Pool with { BlockMajor = true }, [5, 2], 0, 3, 0, 32));
        Assert.Throws<ArgumentException>(() => PagedRuns.Within(Pool, [1, 2], 0, 1, 8, 16));
        Assert.Throws<ArgumentException>(() => PagedRuns.Within(Pool, [12], 0, 1, 0, 16));
    }

    [Fact]
    public void Run_OneSourceAfterTheOther_EqualsBothAtOnce()
    {
        KvLayout[] sources = [Pool with { Heads = 3 }, Pool with { FirstHead = 1, Heads = 3 }];
        Assert.True(PagedConversionPlan.TryCreate(sources, Other, staysInCache: false, out var plan, out _));
        var window = new PagedWindow(0, 1, 2, 16, 48, 70);
        byte[] first = Filled(sources[0], 1), second = Filled(sources[1], 2);
        PagedKv[] from = [Paged(first, [0, 7, 2, 3, 9, 5]), Paged(second, [0, 7, 2, 3, 9, 5])];
        byte[] both = Filled(Other, 5), single = Filled(Other, 5);

        plan.Run(from, Paged(both, [3, 0, 1]), window);
        plan.Run(1, from[1], Paged(single, [3, 0, 1]), window);
        Assert.NotEqual(both, single);
        plan.Run(0, from[0], Paged(single, [3, 0, 1]), window);

        Assert.Equal(both, single);
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Run(2, from[0], Paged(single, [3, 0, 1]), window));
        GC.KeepAlive((first, second));
    }

    private static PagedConversionPlan Plan()
    {
        Assert.True(PagedConversionPlan.TryCreate([Pool], Other, staysInCache: false, out var plan, out var mismatches), string.Join("; ", mismatches));
        return plan;
    }

    private static int Place(int[] blocks, int blockTokens, int token) => blocks[token / blockTokens] * blockTokens + token % blockTokens;

    private static int[] Shuffled(int count, Random random)
    {
        var blocks = Enumerable.Range(0, count).ToArray();
        random.Shuffle(blocks);
        return blocks;
    }

    private static byte[] Filled(KvLayout pool, int seed)
    {
        var bytes = GC.AllocateArray<byte>((int)pool.PayloadBytes, pinned: true);
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static PagedKv Paged(byte[] pinned, int[] blocks) => new(AddressOf(pinned), pinned.Length, blocks);

    private static nint AddressOf(byte[] pinned) => Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
