using Ferry.Engine.Kernels;
using Ferry.Engine.KvCache;
using Ferry.Kv.Layout;
using Xunit;

namespace Ferry.UnitTests.Engine.KvCache;

public sealed class PagedKvPoolTests
{
    private const int Layers = 3;
    private const int Heads = 4;
    private const int HeadDim = 4;
    private const int BlockTokens = 8;
    private const int Tokens = 21;

    private static readonly int[] s_blocks = [5, 0, 3];

    public static TheoryData<KvOrder, KvPacking, bool, int> Layouts
    {
        get
        {
            var data = new TheoryData<KvOrder, KvPacking, bool, int>();
            foreach (var order in new[] { KvOrder.Nhd, KvOrder.Hnd })
            {
                foreach (var packing in Enum.GetValues<KvPacking>())
                {
                    foreach (int ranks in new[] { 1, 2, 4, 8 })
                    {
                        data.Add(order, packing, false, ranks);
                        data.Add(order, packing, true, ranks);
                    }
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void CopyOut_APieceThatWentIn_LiesAsTheLayoutSaysWithAZeroTail(KvOrder order, KvPacking packing, bool blockMajor, int ranks)
    {
        using var pool = Pool(order, packing, blockMajor, ranks);
        for (int rank = 0; rank < ranks; rank++)
        {
            var layout = pool.RankLayout(rank, Tokens);
            byte[] piece = Piece(layout);
            pool.CopyIn(rank, s_blocks, Tokens, 0, Piece(layout, tail: 0xEE));
            var found = new byte[layout.PayloadBytes];
            new Span<byte>(found).Fill(0xCC);

            pool.CopyOut(rank, s_blocks, Tokens, found);

            Assert.Equal(piece, found);
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void CopyOut_FewerTokens_IsThePrefix(KvOrder order, KvPacking packing, bool blockMajor, int ranks)
    {
        using var pool = Pool(order, packing, blockMajor, ranks);
        for (int rank = 0; rank < ranks; rank++)
        {
            pool.CopyIn(rank, s_blocks, Tokens, 0, Piece(pool.RankLayout(rank, Tokens)));
            var shorter = pool.RankLayout(rank, 10);
            var found = new byte[shorter.PayloadBytes];

            pool.CopyOut(rank, s_blocks, 10, found);

            Assert.Equal(Piece(shorter), found);
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void CopyIn_SkippedBlocks_StayAsTheyWere(KvOrder order, KvPacking packing, bool blockMajor, int ranks)
    {
        using var pool = Pool(order, packing, blockMajor, ranks);
        var layout = pool.RankLayout(0, Tokens);
        var before = new byte[layout.PayloadBytes];
        pool.CopyIn(0, s_blocks, Tokens, 0, before);
        pool.CopyIn(0, s_blocks, Tokens, 2, Piece(layout));

        var found = new byte[pool.RankLayout(0, 16).PayloadBytes];
        pool.CopyOut(0, s_blocks, 16, found);
        Assert.All(found, value => Assert.Equal(0, value));
        var last = new byte[pool.RankLayout(0, 5).PayloadBytes];
        pool.CopyOut(0, s_blocks.AsSpan(2), 5, last);
        Assert.Contains(last, value => value != 0);
    }

    [Theory]
    [InlineData(1, 0, 4)]
    [InlineData(2, 2, 2)]
    [InlineData(4, 3, 1)]
    [InlineData(8, 3, 1)]
    public void RankLayout_LastRank_HoldsTheLastHeads(int ranks, int firstHead, int heads)
    {
        using var pool = Pool(KvOrder.Hnd, KvPacking.Halves, false, ranks);
        var layout = pool.RankLayout(ranks - 1, 1);
        Assert.Equal((firstHead, heads, Heads), (layout.FirstHead, layout.Heads, layout.ModelHeads));
        Assert.Equal(pool.BlockBytes, ranks * layout.PayloadBytes);
    }

    [Fact]
    public void Create_FromAMemoryBudget_TakesWholeBlocksThatFit()
    {
        using var pool = new PagedKvPool(Layers, Heads, HeadDim, new KvPoolOptions { BlockTokens = BlockTokens, MemoryBytes = 10_000 });
        Assert.Equal(2 * Layers * BlockTokens * Heads * HeadDim * 2, pool.BlockBytes);
        Assert.Equal(10_000 / pool.BlockBytes, pool.BlockCount);
    }

    public static TheoryData<KvPoolOptions, string> WrongOptions => new()
    {
        { new KvPoolOptions { MemoryBytes = 100 }, "less than one block" },
        { new KvPoolOptions { BlockTokens = 0 }, "A block of 0 tokens" },
        { new KvPoolOptions { BlockTokens = 5000 }, "must lie in 1..1024" },
        { new KvPoolOptions { Order = KvOrder.TwoLtd }, "Nhd or Hnd, not TwoLtd" },
        { new KvPoolOptions { Packing = (KvPacking)9 }, "not a packing" },
        { new KvPoolOptions { DType = KvDType.Float8E4M3Fn }, "not Float8E4M3Fn" },
        { new KvPoolOptions { TensorParallelSize = 3 }, "size of 3 does not suit 4 KV heads" },
        { new KvPoolOptions { TensorParallelSize = 6 }, "size of 6 does not suit 4 KV heads" },
        { new KvPoolOptions { BlockCount = 0 }, "holds nothing" },
    };

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void Create_OptionsThatDoNotFit_AreRefusedByName(KvPoolOptions options, string reason)
    {
        var exception = Assert.Throws<ArgumentException>(() => new PagedKvPool(Layers, Heads, HeadDim, options).Dispose());
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Copy_OutOfRange_IsRefused()
    {
        using var pool = Pool(KvOrder.Nhd, KvPacking.Split, false, 2);
        byte[] piece = Piece(pool.RankLayout(0, Tokens));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.CopyOut(2, s_blocks, Tokens, piece));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.CopyOut(-1, s_blocks, Tokens, piece));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.CopyOut(0, s_blocks, 0, []));
        Assert.Throws<ArgumentException>(() => pool.CopyOut(0, s_blocks, Tokens, piece.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => pool.CopyIn(0, s_blocks, Tokens + 8, 0, piece));
        Assert.Throws<ArgumentException>(() => pool.CopyIn(0, [0, 1], Tokens, 0, piece));
        Assert.Throws<ArgumentException>(() => pool.CopyIn(0, [0, 1, 6], Tokens, 0, piece));
        Assert.Throws<ArgumentException>(() => pool.CopyIn(0, [0, 1, -1], Tokens, 0, piece));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.CopyIn(0, s_blocks, Tokens, 4, piece));
    }

    [Fact]
    public void Dispose_Twice_FreesOnceAndForbidsUse()
    {
        var pool = Pool(KvOrder.Nhd, KvPacking.Split, false, 2);
        byte[] piece = Piece(pool.RankLayout(0, Tokens));
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.CopyOut(0, s_blocks, Tokens, piece));
    }

    private static PagedKvPool Pool(KvOrder order, KvPacking packing, bool blockMajor, int ranks) => new(Layers, Heads, HeadDim, new KvPoolOptions
    {
        BlockTokens = BlockTokens,
        Order = order,
        Packing = packing,
        BlockMajor = blockMajor,
        TensorParallelSize = ranks,
        BlockCount = 6,
    });

    /// <summary>A piece in which each number says where it belongs, written index by index from the layout's own description.</summary>
    private static byte[] Piece(KvLayout layout, byte tail = 0)
    {
        var piece = new byte[layout.PayloadBytes];
        int blocks = layout.PayloadTokens / BlockTokens;
        for (int layer = 0; layer < Layers; layer++)
        {
            for (int token = 0; token < layout.PayloadTokens; token++)
            {
                for (int head = 0; head < layout.Heads; head++)
                {
                    for (int part = 0; part < 2; part++)
                    {
                        for (int d = 0; d < HeadDim; d++)
                        {
                            long index = Index(layout, blocks, layer, token, head, part, d);
                            int mark = (((((layer * 32) + token) * Heads) + layout.FirstHead + head) * 2) + part;
                            ushort bits = token < layout.Tokens ? HalfBits.ToBFloat16(1 + (mark * HeadDim) + d) : (ushort)(tail * 0x101);
                            BitConverter.TryWriteBytes(piece.AsSpan((int)(2 * index)), bits);
                        }
                    }
                }
            }
        }
        return piece;
    }

    private static long Index(KvLayout layout, int blocks, int layer, int token, int head, int part, int d)
    {
        int block = token / BlockTokens;
        int inBlock = token % BlockTokens;
        bool nhd = layout.Order == KvOrder.Nhd;
        long place = nhd ? (inBlock * layout.Heads) + head : (head * BlockTokens) + inBlock;
        long vectors = (long)layout.Heads * BlockTokens;
        long outer = layout.BlockMajor ? ((long)block * Layers) + layer : ((long)layer * blocks) + block;
        return layout.Packing switch
        {
            KvPacking.Interleaved => (((((outer * vectors) + place) * 2) + part) * HeadDim) + d,
            KvPacking.Split when !layout.BlockMajor => ((((((((long)layer * 2) + part) * blocks) + block) * vectors) + place) * HeadDim) + d,
            _ => (((((outer * 2) + part) * vectors) + place) * HeadDim) + d,
        };
    }
}
