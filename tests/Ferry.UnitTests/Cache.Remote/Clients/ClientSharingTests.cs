using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.Kv.Layout;
using Ferry.TestKit.Conversion;
using Xunit;
using static Ferry.UnitTests.Cache.Remote.Clients.ClientStoreHarness;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>Which KV is the same for whom, and what happens where conversion is off, refused or impossible.</summary>
public sealed class ClientSharingTests
{
    private static readonly int[] Sizes = [1, 2, 4, 8];

    [Fact]
    public async Task Get_BetweenTheProtocols_IsTheSameKv()
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        var layouts = Enumerable.Range(0, 4).Select(rank => Shard(card, rank, 4)).ToArray();
        var payloads = layouts.Select(layout => KvReference.Fill(layout, 1)).ToArray();
        await exchange.PutAsync(EngineKey(1, 0, 4), payloads[0], Note(layouts[0]));            // lm://
        await exchange.PutPairAsync(EngineKey(1, 1, 4), payloads[1], Note(layouts[1]));         // redis://
        await exchange.PutAsync(DaemonKey(1, 2, 4), payloads[2]);                               // the daemon's resp
        await exchange.PutAsync(EngineKey(1, 3, 4), payloads[3]);                               // the engine's resp://
        for (var rank = 0; rank < 2; rank++)
        {
            var wanted = Shard(card, rank, 2);
            var expected = KvReference.Convert(layouts, payloads, wanted);
            Assert.Equal(expected, await exchange.ExpectAsync(EngineKey(1, rank, 2), there: true));
            Assert.Equal(expected, await exchange.ExpectAsync(EngineKey(1, rank, 2) + "kv_bytes", there: true));
            Assert.Equal(Note(wanted), await exchange.ExpectAsync(EngineKey(1, rank, 2) + "metadata", there: true));
            Assert.Equal(expected, await exchange.ExpectAsync(DaemonKey(1, rank, 2), there: true));
        }
        Assert.Equal(payloads[1], await exchange.ExpectAsync(DaemonKey(1, 1, 4), there: true));
        await exchange.ExpectAsync(DaemonKey(1, 1, 4, "@tenant"), there: false);
    }

    [Fact]
    public async Task Get_OfTheSameShape_CopiesNothing()
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        var layout = Shard(card, 1, 4);
        await exchange.PutAsync(EngineKey(1, 1, 4), KvReference.Fill(layout, 1), Note(layout));
        var used = exchange.Memory.UsedBytes;
        using var value = await exchange.Store.TryGetAsync(Bytes(EngineKey(1, 1, 4)), CancellationToken.None);
        using var daemon = await exchange.Store.TryGetAsync(Bytes(DaemonKey(1, 1, 4)), CancellationToken.None);
        Assert.Equal(used, exchange.Memory.UsedBytes);
        Assert.True(value!.Bytes.Span.Overlaps(daemon!.Bytes.Span, out var offset) && offset == 0);
    }

    [Fact]
    public async Task Get_WantedAndAnotherTypeAreThere_TakesTheOneThatIsNotRounded()
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        var (coarse, fine) = (Shard(card, 0, 1, KvDType.Float8E4M3Fn), Shard(card, 0, 1));
        await exchange.PutAsync(EngineKey(1, 0, 1, "fp8_e4m3fn"), KvReference.Fill(coarse, 1), Note(coarse));
        await exchange.PutAsync(EngineKey(1, 0, 1), KvReference.Fill(fine, 2), Note(fine));
        var wanted = Shard(card, 3, 4);
        Assert.Equal(KvReference.Convert([fine], [KvReference.Fill(fine, 2)], wanted), await exchange.GetAsync(EngineKey(1, 3, 4)));
    }

    [Fact]
    public async Task Get_OtherTagsGroupsSaltsFormatsAndModels_AreOtherKv()
    {
        var card = Card();
        var other = Card("other");
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card, other]));
        var layout = Shard(card, 0, 1);
        var number = 0;
        (string Of1, string Of2)[] pairs =
        [
            (EngineKey(1, 0, 1), EngineKey(1, 0, 2)), (EngineKey(1, 0, 1, suffix: "@a%b"), EngineKey(1, 0, 2, suffix: "@a%b")),
            (EngineKey(1, 0, 1, suffix: "@a%c"), EngineKey(1, 0, 2, suffix: "@a%c")), (EngineKey(1, 0, 1, suffix: "@a%b@d%e"), EngineKey(1, 0, 2, suffix: "@a%b@d%e")),
            ("vllm@" + EngineKey(1, 0, 1), "vllm@" + EngineKey(1, 0, 2)), (DaemonKey(1, 0, 1, "@s"), DaemonKey(1, 0, 2, "@s")),
            (DaemonKey(1, 0, 1, "@t"), DaemonKey(1, 0, 2, "@t")), (EngineKey(1, 0, 1, model: "other"), EngineKey(1, 0, 2, model: "other")),
        ];
        foreach (var (of1, _) in pairs)
        {
            Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(of1, KvReference.Fill(layout, number++)));
        }
        for (var index = 0; index < pairs.Length; index++)
        {
            var wanted = Shard(card, 0, 2);
            Assert.Equal(KvReference.Convert([layout], [KvReference.Fill(layout, index)], wanted), await exchange.ExpectAsync(pairs[index].Of2, there: true));
        }
        // A group of the daemon is part of the layers: kept as it is, and nobody else's.
        var group = DaemonKey(1, 0, 1).Replace("@0@", "@1@", StringComparison.Ordinal);
        await exchange.PutAsync(group, KvReference.Fill(layout, 99));
        Assert.Equal(KvReference.Fill(layout, 99), await exchange.GetAsync(group));
        Assert.Equal(KvReference.Fill(layout, 0), await exchange.GetAsync(DaemonKey(1, 0, 1)));
    }

    [Theory]
    [InlineData(ConvertMode.Off)]
    [InlineData(ConvertMode.Log)]
    public async Task Get_ConversionIsOff_OnlyTheShardItselfIsDelivered(ConvertMode mode)
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(new ClientStoreOptions { Convert = mode }, new ModelCards([card]));
        var layout = Shard(card, 0, 1);
        await exchange.PutAsync(EngineKey(1, 0, 1), KvReference.Fill(layout, 1), Note(layout));
        await exchange.ExpectAsync(EngineKey(1, 0, 1), there: true);
        await exchange.ExpectAsync(DaemonKey(1, 0, 1), there: true);
        await exchange.ExpectAsync(EngineKey(1, 0, 2), there: false);
        await exchange.ExpectAsync(EngineKey(1, 0, 1, "half"), there: false);
        Assert.Equal(mode == ConvertMode.Log, exchange.Metrics().Contains($"ferry_client_would_convert_total{{model=\"{Model}\"}} 4.0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fp8_NoScaleIsStated_IsNotConvertedButServedAsItIs()
    {
        var card = Card() with { Fp8Scales = new Dictionary<KvDType, float>() };
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        var layout = Shard(card, 0, 1, KvDType.Float8E4M3Fn);
        await exchange.PutAsync(EngineKey(1, 0, 1, "fp8_e4m3fn"), KvReference.Fill(layout, 1), Note(layout));
        await exchange.ExpectAsync(EngineKey(1, 1, 2, "fp8_e4m3fn"), there: true);
        await exchange.ExpectAsync(EngineKey(1, 0, 1, "fp8_e4m3fnuz"), there: false);
        await exchange.ExpectAsync(EngineKey(1, 0, 1), there: false);
    }

    [Fact]
    public async Task Fp8_CalledUInt8_IsTheCardsType()
    {
        var card = Card() with { DType = KvDType.Float8E4M3Fnuz };
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        var layout = Shard(card, 0, 1, KvDType.Float8E4M3Fnuz);
        await exchange.PutPairAsync(EngineKey(1, 0, 1, "uint8"), KvReference.Fill(layout, 1), Note(layout, asUInt8: true));
        var half = Shard(card, 1, 2, KvDType.Float8E4M3Fnuz);
        Assert.Equal(KvReference.Convert([layout], [KvReference.Fill(layout, 1)], half), await exchange.ExpectAsync(EngineKey(1, 1, 2, "uint8") + "kv_bytes", there: true));
        Assert.Equal(Note(half, asUInt8: true), await exchange.ExpectAsync(EngineKey(1, 1, 2, "uint8") + "metadata", there: true));
        var fn = Shard(card, 0, 1, KvDType.Float8E4M3Fn);
        Assert.Equal(KvReference.Convert([layout], [KvReference.Fill(layout, 1)], fn), await exchange.ExpectAsync(EngineKey(1, 0, 1, "fp8_e4m3fn"), there: true));
    }

    [Fact]
    public async Task Get_RecordsOfFerryServe_AreMadeIntoTheClientsShard()
    {
        UInt128 fingerprint = 0x1234;
        var card = Card() with { Fingerprint = fingerprint };
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        var layouts = Enumerable.Range(0, 4)
            .Select(rank => (Shard(card, 0, 1) with { BlockTokens = 2, Order = KvOrder.Hnd, Packing = KvPacking.Interleaved }).ForRank(rank, 4)).ToArray();
        var payloads = layouts.Select(layout => KvReference.Fill(layout, 3)).ToArray();
        var hash = Ferry.Kv.Hashing.ChunkHash.TryParse(Hash(1))!.Value;
        for (var rank = 0; rank < 4; rank++)
        {
            using var room = exchange.Cache.Memory.TryReserve(Ferry.Kv.Records.KvRecord.HeaderBytes + layouts[rank].PayloadBytes)!;
            payloads[rank].CopyTo(room.Payload);
            room.Commit(Ferry.Kv.Records.KvRecordHeader.Describe(layouts[rank], fingerprint, 0, hash, "", payloads[rank])).Dispose();
        }
        var wanted = Shard(card, 1, 2);
        Assert.Equal(KvReference.Convert(layouts, payloads, wanted), await exchange.ExpectAsync(DaemonKey(1, 1, 2), there: true));
        Assert.Equal(Note(wanted), await exchange.ExpectAsync(EngineKey(1, 1, 2) + "metadata", there: true));
    }

    [Fact]
    public async Task Get_NoRoomForTheConvertedShard_IsAMissAndLeavesNothing()
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 2048);
        var layout = Shard(card, 0, 1);
        Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(EngineKey(1, 0, 1), KvReference.Fill(layout, 1), Note(layout)));
        Assert.Null(await exchange.GetAsync(EngineKey(1, 0, 1, "float")));
        Assert.NotNull(await exchange.GetAsync(EngineKey(1, 0, 1)));
    }

    [Fact]
    public async Task Delete_OneRanksKey_TakesTheChunkFromAll()
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 1 << 18);
        foreach (var rank in (int[])[0, 1])
        {
            await exchange.PutAsync(EngineKey(1, rank, 2), KvReference.Fill(Shard(card, rank, 2), 1), Note(Shard(card, rank, 2)));
        }
        Assert.True(await exchange.DeleteAsync(EngineKey(1, 0, 4)));
        await exchange.ExpectAsync(EngineKey(1, 1, 2), there: false);
        Assert.False(await exchange.DeleteAsync(EngineKey(1, 0, 2)));
    }

    [Fact]
    public async Task ManyRanks_PutAndGetAtOnce_EachGetsItsOwnBytesOrNothing()
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([card]), memoryBytes: 30_000);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var round = 0; round < 150; round++)
            {
                var (number, size) = (random.Next(6), Sizes[random.Next(4)]);
                var layout = Shard(card, random.Next(size), size);
                var rank = layout.FirstHead / layout.Heads;
                if (random.Next(2) == 0)
                {
                    await exchange.PutPairAsync(EngineKey(number, rank, size), KvReference.Fill(layout, number), Note(layout));
                }
                else if (await exchange.GetAsync(EngineKey(number, rank, size)) is { } found)
                {
                    Assert.Equal(KvReference.Fill(layout, number), found);
                }
            }
        })));
    }
}
