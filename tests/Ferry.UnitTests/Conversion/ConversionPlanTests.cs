using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.TestKit.Conversion;
using Xunit;

namespace Ferry.UnitTests.Conversion;

public sealed class ConversionPlanTests
{
    private static readonly KvLayout Whole = new()
    {
        Layers = 2,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 16,
        Tokens = 40,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    [Fact]
    public void Create_EqualLayouts_IsIdentity()
    {
        Assert.True(ConversionPlan.Create([Whole], Whole with { }).IsIdentity);
        Assert.False(ConversionPlan.Create([Whole], Whole with { Order = KvOrder.Nhd }).IsIdentity);
        Assert.False(ConversionPlan.Create([Whole], Whole.ForRank(0, 2)).IsIdentity);
    }

    [Fact]
    public void Create_EveryFieldDiffers_ListsEveryField()
    {
        var source = Whole.ForRank(0, 4) with { Layers = 3, ModelHeads = 16, HeadDim = 8, Tokens = 41 };
        Assert.False(ConversionPlan.TryCreate([source], Whole, out var plan, out var mismatches));
        Assert.Null(plan);
        Assert.Equal(
            [
                "source 0: layers=3, the target has 2",
                "source 0: model heads=16, the target has 8",
                "source 0: head_dim=8, the target has 16",
                "source 0: tokens=41, the target has 40",
                "heads=2..8 of the target (heads=0..8/8) lie in no source",
            ],
            mismatches);
    }

    [Fact]
    public void Create_HeadsMissingInTheMiddle_NamesThem()
    {
        var refusal = Assert.Throws<KvLayoutException>(() => ConversionPlan.Create([Whole.ForRank(0, 8), Whole.ForRank(4, 8)], Whole.ForRank(0, 1)));
        Assert.Equal(
            ["heads=1..4 of the target (heads=0..8/8) lie in no source", "heads=5..8 of the target (heads=0..8/8) lie in no source"],
            refusal.Mismatches);
    }

    [Fact]
    public void Create_NoSource_SaysSo()
    {
        Assert.False(ConversionPlan.TryCreate([], Whole, out _, out var mismatches));
        Assert.Contains("there is no source", mismatches);
    }

    [Fact]
    public void Create_LayoutThatMeansNothing_NamesTheSideAndTheField()
    {
        Assert.False(ConversionPlan.TryCreate([Whole with { Scale = 2 }], Whole with { BlockTokens = 0 }, out _, out var mismatches));
        Assert.Contains(mismatches, line => line.StartsWith("source 0: scale=2", StringComparison.Ordinal));
        Assert.Contains(mismatches, line => line.StartsWith("target: block=0", StringComparison.Ordinal));
    }

    [Fact]
    public void Create_HostileNumbers_AreRefusedWithoutOverflow()
    {
        var numbers = new[] { int.MinValue, -1, 0, int.MaxValue };
        foreach (var number in numbers)
        {
            KvLayout[] hostile =
            [
                Whole with { Layers = number }, Whole with { ModelHeads = number }, Whole with { Heads = number }, Whole with { HeadDim = number },
                Whole with { Tokens = number }, Whole with { BlockTokens = number }, Whole with { DType = (KvDType)99 },
                Whole with { Order = (KvOrder)99 }, Whole with { Packing = (KvPacking)99 }, Whole with { FirstHead = number == 0 ? 1 : number },
            ];
            foreach (var layout in hostile)
            {
                Assert.False(ConversionPlan.TryCreate([layout], Whole, out _, out var fromSource));
                Assert.NotEmpty(fromSource);
                Assert.False(ConversionPlan.TryCreate([Whole], layout, out _, out var fromTarget));
                Assert.NotEmpty(fromTarget);
            }
        }
    }

    [Fact]
    public void Create_ScalesTooFarApart_IsRefused()
    {
        var source = Whole with { DType = KvDType.Float8E4M3Fn, Scale = 1e38f };
        Assert.False(ConversionPlan.TryCreate([source], source with { Scale = 1e-10f }, out _, out var mismatches));
        Assert.Contains("outside the range of fp32", Assert.Single(mismatches));
    }

    [Fact]
    public void Run_AWrongLength_WritesNothing()
    {
        KvLayout[] sources = [Whole.ForRank(0, 2), Whole.ForRank(1, 2)];
        var plan = ConversionPlan.Create(sources, Whole);
        var (whole, half) = (new byte[Whole.PayloadBytes], new byte[sources[0].PayloadBytes]);
        Array.Fill(whole, (byte)7);
        Assert.Throws<ArgumentException>(() => plan.Run([half, half.AsMemory(1)], whole));
        Assert.Throws<ArgumentException>(() => plan.Run([half, ReadOnlyMemory<byte>.Empty], whole));
        Assert.Throws<ArgumentException>(() => plan.Run([half], whole));
        Assert.Throws<ArgumentException>(() => plan.Run(half, whole));
        Assert.Throws<ArgumentException>(() => plan.Run([half, half], whole.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => plan.Run([half, whole.AsMemory(0, half.Length)], whole));
        Assert.DoesNotContain(whole, value => value != 7);
    }

    [Fact]
    public void Run_SourceThatIsNotRead_MayBeEmpty()
    {
        KvLayout[] sources = [.. Enumerable.Range(0, 4).Select(rank => Whole.ForRank(rank, 4))];
        var target = Whole.ForRank(1, 2);
        var plan = ConversionPlan.Create(sources, target);
        Assert.Equal([false, false, true, true], Enumerable.Range(0, 4).Select(plan.Reads));
        byte[][] payloads = [.. sources.Select(source => KvReference.Fill(source, 5))];
        var result = new byte[target.PayloadBytes];
        plan.Run([ReadOnlyMemory<byte>.Empty, ReadOnlyMemory<byte>.Empty, payloads[2], payloads[3]], result);
        Assert.Equal(KvReference.Fill(target, 5), result);
    }

    [Fact]
    public void Run_PartialLastBlockOfDirtySource_LeavesZerosInTheTargetsTail()
    {
        var source = KvReference.Fill(Whole, 9);
        for (var index = 0; index < source.Length; index++) { source[index] |= 1; }
        var target = Whole with { BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split };
        var result = new byte[target.PayloadBytes];
        Array.Fill(result, (byte)0xFF);
        ConversionPlan.Create([Whole], target).Run(source, result);
        Assert.Equal(KvReference.Convert([Whole], [source], target), result);
        Assert.Equal(Whole.PayloadBytes / 48 * 40, result.Count(value => value != 0));
    }

    [Fact]
    public void Run_BlockLengthsThatDoNotDivideEachOther_EqualsTheReference()
    {
        foreach (var (sourceBlock, targetBlock) in new[] { (16, 40), (48, 16), (3, 7), (17, 16), (528, 128), (1, 5) })
        {
            var source = Whole with { BlockTokens = sourceBlock, Tokens = 101 };
            var target = source with { BlockTokens = targetBlock, Order = KvOrder.Nhd, Packing = KvPacking.Halves, BlockMajor = true };
            var payload = KvReference.Fill(source, 3);
            var result = new byte[target.PayloadBytes];
            ConversionPlan.Create([source], target).Run(payload, result);
            Assert.Equal(KvReference.Convert([source], [payload], target), result);
        }
    }

    [Fact]
    public void Run_ThereAndBack_RestoresEveryByte()
    {
        var gaudi = Whole with { BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split };
        var payload = KvReference.Fill(Whole, 11);
        var (there, back) = (new byte[gaudi.PayloadBytes], new byte[Whole.PayloadBytes]);
        ConversionPlan.Create([Whole], gaudi).Run(payload, there);
        ConversionPlan.Create([gaudi], Whole).Run(there, back);
        Assert.Equal(payload, back);
    }
}
