using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.Kv.Layout;
using Ferry.TestKit.Conversion;
using Xunit;
using static Ferry.UnitTests.Cache.Remote.Clients.ClientStoreHarness;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>What a client of one shape gets of what a client of another shape put: every byte against a reference that works element by element.</summary>
public sealed class ClientConversionTests
{
    private static readonly int[] Sizes = [1, 2, 4, 8];

    private static readonly (string Name, KvDType DType)[] DTypes =
    [
        ("bfloat16", KvDType.BFloat16), ("half", KvDType.Float16), ("float", KvDType.Float32), ("fp8_e4m3fn", KvDType.Float8E4M3Fn), ("fp8_e4m3fnuz", KvDType.Float8E4M3Fnuz),
    ];

    public static TheoryData<int, int, int> Shapes()
    {
        var data = new TheoryData<int, int, int>();
        foreach (var heads in (int[])[1, 2, 8])
        {
            foreach (var from in Sizes)
            {
                foreach (var to in Sizes)
                {
                    data.Add(heads, from, to);
                }
            }
        }
        foreach (var (from, to) in ((int, int)[])[(2, 3), (3, 2), (6, 1), (1, 6), (3, 6)])
        {
            data.Add(6, from, to);
        }
        data.Add(8, 16, 4);
        data.Add(8, 4, 16);
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Get_AnyTensorParallelSizeTypeAndLength_EqualsTheReference(int heads, int from, int to)
    {
        var card = Card(heads: heads);
        // Heads and types are independent of each other: all pairs of types with one head count, a copy and a cast with the others.
        foreach (var (source, target) in heads == 2 ? DTypes.SelectMany(one => DTypes.Select(two => (one, two))) : [(DTypes[0], DTypes[0]), (DTypes[1], DTypes[2])])
        {
            foreach (var tokens in (int[])[ChunkTokens, 3])
            {
                await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
                var layouts = Enumerable.Range(0, from).Select(rank => Shard(card, rank, from, source.DType, tokens)).ToArray();
                var payloads = layouts.Select(layout => KvReference.Fill(layout, seed: 5)).ToArray();
                for (var rank = 0; rank < from; rank++)
                {
                    // LMCache's metadata has no number for e4m3fnuz; such a value comes over a protocol without.
                    var note = source.DType == KvDType.Float8E4M3Fnuz ? [] : Note(layouts[rank]);
                    var expected = rank > 0 && layouts[rank] == layouts[rank - 1] && (note.Length > 0 || tokens == ChunkTokens)
                        ? ClientPutOutcome.Present : ClientPutOutcome.Ready;
                    Assert.Equal(expected, await exchange.PutAsync(EngineKey(1, rank, from, source.Name), payloads[rank], note));
                }
                for (var rank = 0; rank < to; rank++)
                {
                    var wanted = Shard(card, rank, to, target.DType, tokens);
                    var key = EngineKey(1, rank, to, target.Name);
                    if (source.DType == KvDType.Float8E4M3Fnuz && tokens != ChunkTokens)
                    {
                        // Without metadata only full chunks are believed: the same key alone gets the bytes back.
                        await exchange.ExpectAsync(key, there: source == target && from == to);
                        continue;
                    }
                    Assert.Equal(KvReference.Convert(layouts, payloads, wanted), await exchange.ExpectAsync(key, there: true));
                    Assert.Equal(target.DType == KvDType.Float8E4M3Fnuz ? [] : Note(wanted), await exchange.GetNoteAsync(key));
                }
            }
        }
    }

    [Fact]
    public async Task Get_RandomShapes_EqualTheReference()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new Random(seed);
            var heads = ((int[])[1, 2, 3, 4, 6, 8, 12])[random.Next(7)];
            var sizes = Enumerable.Range(1, 16).Where(size => heads % size == 0 || size % heads == 0).ToArray();
            var card = Card(heads: heads) with { Layers = random.Next(1, 4), HeadDim = random.Next(1, 10), ChunkTokens = random.Next(1, 9) };
            var (from, to) = (sizes[random.Next(sizes.Length)], sizes[random.Next(sizes.Length)]);
            var (source, target) = (DTypes[random.Next(4)], DTypes[random.Next(4)]);
            var tokens = random.Next(1, card.ChunkTokens + 1);
            await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 19);
            var layouts = Enumerable.Range(0, from).Select(rank => Shard(card, rank, from, source.DType, tokens)).ToArray();
            var payloads = layouts.Select(layout => KvReference.Fill(layout, seed)).ToArray();
            foreach (var rank in Enumerable.Range(0, from).OrderBy(_ => random.Next()))
            {
                var key = EngineKey(seed, rank, from, source.Name);
                if (random.Next(2) == 0) { await exchange.PutAsync(key, payloads[rank], Note(layouts[rank]), random.Next(1, 5000)); }
                else { await exchange.PutPairAsync(key, payloads[rank], Note(layouts[rank])); }
            }
            for (var rank = 0; rank < to; rank++)
            {
                var expected = KvReference.Convert(layouts, payloads, Shard(card, rank, to, target.DType, tokens));
                var found = await exchange.ExpectAsync(EngineKey(seed, rank, to, target.Name), there: true);
                Assert.True(expected.AsSpan().SequenceEqual(found), $"seed {seed}: {layouts[0]} ×{from} → TP{to} {target.Name}, rank {rank}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Exists_OneShardIsMissing_IsFalseForAllWhoNeedIt(int heads, int from, int to)
    {
        var card = Card(heads: heads);
        for (var missing = 0; missing < from; missing++)
        {
            await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
            var held = new HashSet<int>();
            foreach (var rank in Enumerable.Range(0, from).Where(rank => rank != missing))
            {
                var layout = Shard(card, rank, from);
                held.UnionWith(Enumerable.Range(layout.FirstHead, layout.Heads));
                await exchange.PutAsync(EngineKey(1, rank, from), KvReference.Fill(layout, 5), Note(layout));
            }
            for (var rank = 0; rank < to; rank++)
            {
                var wanted = Shard(card, rank, to);
                await exchange.ExpectAsync(EngineKey(1, rank, to), there: Enumerable.Range(wanted.FirstHead, wanted.Heads).All(held.Contains));
            }
        }
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(8, 2)]
    [InlineData(4, 4)]
    public async Task Get_LayerByLayer_EqualsTheReferenceInBothOrders(int from, int to)
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        for (var layer = 0; layer < card.Layers; layer++)
        {
            var layouts = Enumerable.Range(0, from).Select(rank => Shard(card, rank, from) with { Layers = 1, Order = layer == 1 ? KvOrder.TwoLtd : KvOrder.T2d }).ToArray();
            var payloads = layouts.Select(layout => KvReference.Fill(layout, layer)).ToArray();
            for (var rank = 0; rank < from; rank++)
            {
                Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(EngineKey(1, rank, from, suffix: $"@{layer}"), payloads[rank], Note(layouts[rank])));
            }
            for (var rank = 0; rank < to; rank++)
            {
                var wanted = Shard(card, rank, to) with { Layers = 1, Order = KvOrder.T2d };
                Assert.Equal(KvReference.Convert(layouts, payloads, wanted), await exchange.ExpectAsync(EngineKey(1, rank, to, suffix: $"@{layer}"), there: true));
                Assert.Equal(Note(wanted), await exchange.GetNoteAsync(EngineKey(1, rank, to, suffix: $"@{layer}")));
            }
        }
        await exchange.ExpectAsync(EngineKey(1, 0, to, suffix: "@2"), there: false);
    }

    [Theory]
    [InlineData(1, 4, "bfloat16")]
    [InlineData(4, 2, "half")]
    [InlineData(2, 2, "bfloat16")]
    public async Task Get_WholeChunksFromLayersAndBack_EqualsTheReference(int from, int to, string dtype)
    {
        var card = Card() with { Layerwise = true };
        var target = dtype == "half" ? KvDType.Float16 : KvDType.BFloat16;
        var whole = Enumerable.Range(0, from).Select(rank => Shard(card, rank, from, tokens: 3)).ToArray();
        var payloads = whole.Select(layout => KvReference.Fill(layout, 1)).ToArray();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        for (var rank = 0; rank < from; rank++)
        {
            await exchange.PutAsync(EngineKey(1, rank, from), payloads[rank], Note(whole[rank])); // Whole, to be read layer by layer.
            foreach (var layer in Enumerable.Range(0, card.Layers))                                  // Layer by layer, to be read whole.
            {
                Assert.False(await exchange.ExistsAsync(EngineKey(2, to - 1, to, dtype)));
                var one = whole[rank] with { Layers = 1, Order = KvOrder.T2d };
                await exchange.PutPairAsync(EngineKey(2, rank, from, suffix: $"@{layer}"), LayerOf(whole[rank], payloads[rank], layer, one), Note(one));
            }
        }
        for (var rank = 0; rank < to; rank++)
        {
            var wanted = Shard(card, rank, to, target, 3);
            var expected = KvReference.Convert(whole, payloads, wanted);
            Assert.Equal(expected, await exchange.ExpectAsync(EngineKey(2, rank, to, dtype), there: true));
            Assert.Equal(Note(wanted), await exchange.ExpectAsync(EngineKey(2, rank, to, dtype) + "metadata", there: true));
            for (var layer = 0; layer < card.Layers; layer++)
            {
                var one = wanted with { Layers = 1, Order = KvOrder.T2d };
                Assert.Equal(LayerOf(wanted, expected, layer, one), await exchange.ExpectAsync(EngineKey(1, rank, to, dtype, $"@{layer}"), there: true));
                Assert.Equal(Note(one), await exchange.GetNoteAsync(EngineKey(1, rank, to, dtype, $"@{layer}")));
            }
        }
        Assert.True(await exchange.DeleteAsync(EngineKey(2, 0, to, dtype)));
        await exchange.ExpectAsync(EngineKey(2, 0, from, suffix: "@0"), there: false);

        static byte[] LayerOf(KvLayout layout, byte[] payload, int layer, KvLayout one)
        {
            var result = new byte[one.PayloadBytes];
            var bytes = layout.DType.Bytes();
            foreach (var (kv, token, head, d) in
                from kv in Enumerable.Range(0, 2)
                from token in Enumerable.Range(0, one.Tokens)
                from head in Enumerable.Range(one.FirstHead, one.Heads)
                from d in Enumerable.Range(0, one.HeadDim)
                select (kv, token, head, d))
            {
                KvReference.Write(result, bytes, KvReference.Index(one, kv, 0, token, head, d), KvReference.Read(payload, bytes, KvReference.Index(layout, kv, layer, token, head, d)));
            }
            return result;
        }
    }
}
