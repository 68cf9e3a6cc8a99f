using CsCheck;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.TestKit.Conversion;
using Xunit;

namespace Ferry.UnitTests.Conversion;

/// <summary>Plans against <see cref="KvReference"/> over orders, packings, blocks, tensor-parallel sizes, dtypes and partial blocks.</summary>
public sealed class ConversionPlanPropertyTests
{
    private static readonly int[] BlockTokens = [16, 32, 48, 64, 128, 256];

    private static readonly Gen<(KvOrder Order, KvPacking Packing, bool BlockMajor, int BlockTokens)> Shapes =
        Gen.Select(Gen.OneOf(KvOrder.TwoLtd, KvOrder.T2d, KvOrder.Nhd, KvOrder.Hnd), Gen.Enum<KvPacking>(), Gen.Bool, Gen.OneOf(BlockTokens), (order, packing, blockMajor, block) =>
            order is KvOrder.TwoLtd or KvOrder.T2d
                ? (order, KvPacking.Split, false, 0)
                : (order, packing, blockMajor && packing != KvPacking.Split, block));

    /// <summary>Heads and the tensor-parallel sizes of both sides; more ranks than heads replicate them.</summary>
    private static readonly Gen<(int Heads, int SourceTp, int TargetTp)> Parallel = Gen.OneOf(
        [.. from heads in new[] { 1, 2, 4, 8 } from source in new[] { 1, 2, 4, 8 } from target in new[] { 1, 2, 4, 8 } select (heads, source, target)]);

    [Fact]
    public void Run_AnyShapeToAnyOther_EqualsTheReference() =>
        Check(Gen.OneOf(Enum.GetValues<KvDType>()).Select(dtype => (dtype, 1f, dtype, 1f)), iterations: 400);

    [Fact]
    public void Run_AnyShapeAndDtypeToAnyOther_EqualsTheReference() =>
        Check(
            Gen.Select(Gen.Enum<KvDType>(), Gen.OneOf(1f, 0.5f, 0.37f), Gen.Enum<KvDType>(), Gen.OneOf(1f, 0.25f, 3.1f))
                .Select((source, sourceScale, target, targetScale) =>
                    (source, source.IsFp8() ? sourceScale : 1f, target, target.IsFp8() ? targetScale : 1f)),
            iterations: 400);

    private static void Check(Gen<(KvDType, float, KvDType, float)> dtypes, int iterations)
    {
        var cases = Gen.Select(
            Shapes, Shapes, Parallel, dtypes, Gen.Select(Gen.Int[1, 3], Gen.Int[1, 270], Gen.OneOf(1, 8, 16, 20, 33, 64), Gen.Int));
        cases.Sample(
            (source, target, parallel, types, rest) =>
            {
                var (layers, tokens, headDim, seed) = rest;
                // Keeps one case near a millisecond in the scalar reference.
                tokens = Math.Clamp(tokens, 1, Math.Max(1, 24_000 / (layers * headDim * parallel.Heads)));
                var (sourceType, sourceScale, targetType, targetScale) = types;
                var whole = Layout(source, layers, parallel.Heads, headDim, tokens, sourceType, sourceScale);
                var sink = Layout(target, layers, parallel.Heads, headDim, tokens, targetType, targetScale)
                    .ForRank((seed & int.MaxValue) % parallel.TargetTp, parallel.TargetTp);
                KvLayout[] shards = [.. Enumerable.Range(0, parallel.SourceTp).Select(rank => whole.ForRank(rank, parallel.SourceTp))];
                AssertEqualsReference(shards, sink, seed);
            },
            iter: iterations, threads: 1);
    }

    private static void AssertEqualsReference(KvLayout[] shards, KvLayout target, int seed)
    {
        byte[][] payloads = [.. shards.Select(shard => KvReference.Fill(shard, seed))];
        // Streaming stores need an aligned target, and by themselves begin at sizes that the scalar reference is too slow for.
        var streamingBytes = seed % 2 == 0 ? 0 : ConversionPlan.StreamingBytes;
        var actual = AlignedSpan((int)target.PayloadBytes);
        actual.Fill(0xA5);                                                    // a byte that is not written would show
        Assert.True(ConversionPlan.TryCreate(shards, target, null, streamingBytes, out var plan, out _));
        plan.Run([.. payloads.Select(payload => (ReadOnlyMemory<byte>)payload)], actual);
        Assert.Equal(KvReference.Convert(shards, payloads, target), actual.ToArray());
    }

    private static unsafe Span<byte> AlignedSpan(int bytes)
    {
        var pinned = GC.AllocateArray<byte>(bytes + 64, pinned: true);
        fixed (byte* start = pinned) { return pinned.AsSpan((int)(-(nint)start & 63), bytes); }
    }

    private static KvLayout Layout(
        (KvOrder Order, KvPacking Packing, bool BlockMajor, int BlockTokens) shape, int layers, int heads, int headDim, int tokens, KvDType dtype, float scale) =>
        new()
        {
            Layers = layers,
            ModelHeads = heads,
            FirstHead = 0,
            Heads = heads,
            HeadDim = headDim,
            Tokens = tokens,
            BlockTokens = shape.BlockTokens,
            DType = dtype,
            Order = shape.Order,
            Packing = shape.Packing,
            BlockMajor = shape.BlockMajor,
            Scale = scale,
        };
}
