using Ferry.Kv.Layout;
using Ferry.Transfer.Handover;

namespace Ferry.Benchmarks.Handover;

/// <summary>One pair of pools and how the blocks of the request lie in them.</summary>
internal sealed record HandoverCase(string Name, KvLayout[] Sources, KvLayout[] Targets, bool Scattered, HandoverRoute? Route)
{
    public const int Tokens = 8192;

    // Room for half as many blocks again, so that scattered blocks are.
    private const int PoolTokens = Tokens * 3 / 2;

    /// <summary>16 layers, 8 KV heads of 64, bf16: 32 KiB a token, as Llama 3.2 1B has.</summary>
    private static readonly KvLayout Mi300x = new()
    {
        Layers = 16,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 64,
        Tokens = PoolTokens,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    private static readonly KvLayout Gaudi3 = Mi300x with { BlockTokens = 128, Order = KvOrder.Nhd, Packing = KvPacking.Split };

    /// <summary>The first two are what the others are measured against: blocks in order, and scattered ones.</summary>
    public static IReadOnlyList<HandoverCase> All { get; } =
    [
        new("same layout, TP 4 → TP 4", Ranks(Mi300x, 4), Ranks(Mi300x, 4), false, null),
        new("same layout, TP 4 → TP 4, scattered blocks", Ranks(Mi300x, 4), Ranks(Mi300x, 4), true, null),
        new("MI300X TP 4 → Gaudi3 TP 4", Ranks(Mi300x, 4), Ranks(Gaudi3, 4), false, null),
        new("MI300X TP 4 → Gaudi3 TP 2", Ranks(Mi300x, 4), Ranks(Gaudi3, 2), false, null),
        new("MI300X TP 4 → Gaudi3 TP 8", Ranks(Mi300x, 4), Ranks(Gaudi3, 8), false, null),
        new("MI300X TP 4 → Gaudi3 TP 8, the owner made to pack", Ranks(Mi300x, 4), Ranks(Gaudi3, 8), false, HandoverRoute.WriterConverts),
        new("MI300X TP 4 → Gaudi3 TP 2, scattered blocks", Ranks(Mi300x, 4), Ranks(Gaudi3, 2), true, null),
        new("the same, the owner made to pack", Ranks(Mi300x, 4), Ranks(Gaudi3, 2), true, HandoverRoute.WriterConverts),
        new("Gaudi3 TP 2 → MI300X TP 4", Ranks(Gaudi3, 2), Ranks(Mi300x, 4), false, null),
        new("MI300X TP 4 → Gaudi3 TP 4 in e4m3fn", Ranks(Mi300x, 4), Ranks(Gaudi3 with { DType = KvDType.Float8E4M3Fn }, 4), false, null),
        new("MI300X TP 4 in e4m3fnuz → Gaudi3 TP 4 in bf16", Ranks(Mi300x with { DType = KvDType.Float8E4M3Fnuz }, 4), Ranks(Gaudi3, 4), false, null),
        new("MI300X TP 4 → Gaudi3 TP 16, each head twice", Ranks(Mi300x, 4), Ranks(Gaudi3, 16), false, null),
        new("MI300X TP 16, each head twice → Gaudi3 TP 4", Ranks(Mi300x, 16), Ranks(Gaudi3, 4), false, null),
    ];

    /// <summary>KV that the readers take, all ranks, in the wider of the two types.</summary>
    public long Bytes => Targets.Sum(target => target.PayloadBytes / target.Tokens * Tokens / target.DType.Bytes() * Math.Max(target.DType.Bytes(), Sources[0].DType.Bytes()));

    private static KvLayout[] Ranks(KvLayout whole, int size) => [.. Enumerable.Range(0, size).Select(rank => whole.ForRank(rank, size))];
}
