using CsCheck;
using Ferry.Kv.Layout;
using Xunit;

namespace Ferry.UnitTests.Layout;

public sealed class KvLayoutTests
{
    private const string Text =
        "layers=5 heads=0..4/8 head_dim=32 tokens=250 dtype=bf16 scale=1 order=hnd block=16 packing=interleaved block_major=false";

    private static readonly KvLayout Sample = KvLayout.Parse(Text);

    [Fact]
    public void ToString_Parsed_IsTheSameText()
    {
        Assert.Equal(Text, Sample.ToString());
        Assert.Equal(256, Sample.PayloadTokens);
        Assert.Equal(2L * 5 * 256 * 4 * 32 * 2, Sample.PayloadBytes);
    }

    [Fact]
    public void Parse_TextOfAnyValidLayout_GivesAnEqualLayout() =>
        Gen.Select(Gen.Int[1, 99], Gen.Int[1, 16], Gen.Int[0, 64], Gen.Int[1, 512], Gen.Enum<KvDType>(), Gen.OneOf(KvOrder.TwoLtd, KvOrder.T2d, KvOrder.Nhd, KvOrder.Hnd), Gen.Enum<KvPacking>(), Gen.Int[1, 99999])
            .Sample((layers, heads, more, tokens, dtype, order, packing, scale) =>
            {
                var blocked = order is KvOrder.Nhd or KvOrder.Hnd;
                var layout = new KvLayout
                {
                    Layers = layers,
                    ModelHeads = heads + more,
                    FirstHead = more / 2,
                    Heads = heads,
                    HeadDim = 64,
                    Tokens = tokens,
                    BlockTokens = blocked ? 16 : 0,
                    DType = dtype,
                    Order = order,
                    Packing = blocked ? packing : KvPacking.Split,
                    BlockMajor = blocked && packing != KvPacking.Split && tokens % 2 == 0,
                    Scale = dtype.IsFp8() ? scale / 777f : 1f,
                };
                Assert.Empty(layout.FindErrors());
                Assert.Equal(layout, KvLayout.Parse(layout.ToString()));
            });

    [Fact]
    public void Opaque_TextAndBack_IsTheSameLayoutWithNothingButItsLength()
    {
        var layout = KvLayout.Opaque(1234);
        Assert.Equal("order=opaque bytes=1234", layout.ToString());
        Assert.Equal(layout, KvLayout.Parse("order=opaque bytes=1234"));
        Assert.Equal(1234, layout.PayloadBytes);
        Assert.NotEmpty((layout with { Layers = 2 }).FindErrors());
        Assert.NotEmpty((Sample with { OpaqueBytes = 1 }).FindErrors());
        Assert.NotEmpty(KvLayout.Opaque(-1).FindErrors());
        Assert.Throws<FormatException>(() => KvLayout.Parse("order=opaque bytes=1234 layers=1"));
        Assert.Throws<FormatException>(() => KvLayout.Parse("order=opaque"));
    }

    [Fact]
    public void Parse_OnlyTheNeededNames_FillsInTheOnesThatMeanOneThing()
    {
        var layout = KvLayout.Parse("order=2ltd dtype=fp16 tokens=256 head_dim=128 heads=0..8/8 layers=80");
        Assert.Equal((1f, 0, KvPacking.Split, false), (layout.Scale, layout.BlockTokens, layout.Packing, layout.BlockMajor));
    }

    [Theory]
    [InlineData("layers", "layrs", "did you mean 'layers'?")]
    [InlineData("order=hnd", "order=hdn", "did you mean 'hnd'?")]
    [InlineData("dtype=bf16", "dtype=bf61", "did you mean 'bf16'?")]
    [InlineData("block_major=false", "block_major=no", "false, true")]
    [InlineData("heads=0..4/8", "heads=4", "FIRST..END/MODEL")]
    [InlineData("tokens=250", "tokens=-1", "tokens=-1")]
    [InlineData("tokens=250", "tokens", "name=value")]
    [InlineData("tokens=250 ", "", "'tokens=' is missing")]
    [InlineData("block=16 ", "", "'block=' is missing")]
    [InlineData("packing=interleaved ", "", "'packing=' is missing")]
    [InlineData("tokens=250", "tokens=250 tokens=250", "stands twice")]
    [InlineData("scale=1", "scale=one", "scale=one")]
    public void Parse_TextNotUnderstood_SaysWhatAndTheWayOut(string part, string broken, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => KvLayout.Parse(Text.Replace(part, broken, StringComparison.Ordinal))).Message);

    [Fact]
    public void Parse_AnyText_GivesALayoutOrOneOfTwoExceptions() =>
        Gen.Select(Gen.Int[0, Text.Length - 1], Gen.String, Gen.Int[0, 5]).Sample((at, noise, drop) =>
        {
            var text = Text[..at] + noise + Text[Math.Min(Text.Length, at + drop)..];
            try { Assert.Empty(KvLayout.Parse(text).FindErrors()); }
            catch (Exception refusal) when (refusal is FormatException or KvLayoutException) { Assert.NotEmpty(refusal.Message); }
        });

    [Fact]
    public void Validate_ManyContradictions_ListsAllAtOnce()
    {
        var refusal = Assert.Throws<KvLayoutException>(() =>
            (Sample with { Layers = 0, HeadDim = -3, FirstHead = 6, Order = KvOrder.T2d, BlockMajor = true, Scale = float.NaN }).Validate());
        Assert.Equal(7, refusal.Mismatches.Count);
        Assert.Contains(refusal.Mismatches, line => line.StartsWith("heads=6..10/8", StringComparison.Ordinal));
        Assert.Contains(refusal.Mismatches, line => line.StartsWith("block=16 must be 0 for order=t2d", StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_BlockMajorSplit_IsRefusedBecauseHalvesHasTheSameBytes() =>
        Assert.Contains("say packing=halves", Assert.Single((Sample with { Packing = KvPacking.Split, BlockMajor = true }).FindErrors()));

    [Theory]
    [InlineData(0, 1, 0, 8)]
    [InlineData(3, 4, 6, 2)]
    [InlineData(7, 8, 7, 1)]
    [InlineData(15, 16, 7, 1)]
    [InlineData(5, 32, 1, 1)]
    public void ForRank_HeadsOrRanksDivide_DealsHeadsOut(int rank, int size, int firstHead, int heads)
    {
        var shard = Sample.ForRank(rank, size);
        Assert.Equal((firstHead, heads), (shard.FirstHead, shard.Heads));
        Assert.Empty(shard.FindErrors());
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 12)]
    [InlineData(4, 4)]
    [InlineData(-1, 4)]
    [InlineData(0, 0)]
    public void ForRank_NeitherDividesOrNoSuchRank_IsRefused(int rank, int size) =>
        Assert.Throws<KvLayoutException>(() => Sample.ForRank(rank, size));

    [Fact]
    public void Diff_TwoAxesDiffer_NamesThoseTwo()
    {
        Assert.Empty(KvLayout.Diff(Sample, Sample with { }));
        Assert.Equal(
            ["order: hnd vs nhd", "block: 16 vs 128"], KvLayout.Diff(Sample, Sample with { Order = KvOrder.Nhd, BlockTokens = 128 }));
    }

    [Fact]
    public void Equals_SameSizeOtherOrder_IsFalse()
    {
        var other = Sample with { Order = KvOrder.Nhd };
        Assert.Equal(Sample.PayloadBytes, other.PayloadBytes);
        Assert.NotEqual(Sample, other);
    }

    [Fact]
    public void Enums_NumbersOnDisk_NeverChange()
    {
        Assert.Equal(
            ["Float32=1", "Float16=2", "BFloat16=3", "Float8E4M3Fn=4", "Float8E4M3Fnuz=5", "Float8E5M2=6"], Numbers<KvDType>());
        Assert.Equal(["TwoLtd=1", "T2d=2", "Nhd=3", "Hnd=4", "Opaque=5"], Numbers<KvOrder>());
        Assert.Equal(["Split=1", "Halves=2", "Interleaved=3"], Numbers<KvPacking>());
    }

    [Fact]
    public void Names_OfEnums_NeverChange()
    {
        Assert.Equal(["fp32", "fp16", "bf16", "e4m3fn", "e4m3fnuz", "e5m2"], KvDTypes.ByName.Keys);
        Assert.Equal(["2ltd", "t2d", "nhd", "hnd", "opaque"], KvOrders.ByName.Keys);
        Assert.Equal(["split", "halves", "interleaved"], KvPackings.ByName.Keys);
    }

    private static IEnumerable<string> Numbers<T>() where T : struct, Enum =>
        Enum.GetValues<T>().Select(value => $"{value}={Convert.ToInt32(value)}");
}
