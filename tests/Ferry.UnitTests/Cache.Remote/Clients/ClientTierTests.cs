using Ferry.Cache;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Directory;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Conversion;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Ferry.UnitTests.Cache.Remote.Clients.ClientStoreHarness;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>What another exchange, or this one after a restart, finds below its memory.</summary>
public sealed class ClientTierTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("ferry-clients-").FullName;
    private static readonly ModelCard TheCard = Card();

    public void Dispose() => Directory.Delete(_path, recursive: true);

    private DirectoryTier OpenDirectory() => new(new DirectoryTierOptions { Path = _path }, TimeProvider.System, NullLogger<DirectoryTier>.Instance);

    private async Task FillAsync(ModelCards? cards = null)
    {
        await using var exchange = new ClientStoreHarness(cards: cards ?? new ModelCards([TheCard]), tiers: OpenDirectory());
        for (var rank = 0; rank < 4; rank++)
        {
            var layout = Shard(TheCard, rank, 4);
            await exchange.PutPairAsync(EngineKey(1, rank, 4), KvReference.Fill(layout, 1), Note(layout));
            layout = Shard(TheCard, rank, 4, tokens: 3);
            await exchange.PutPairAsync(EngineKey(2, rank, 4), KvReference.Fill(layout, 2), Note(layout));
        }
        await exchange.PutAsync("plain", [1, 2, 3]);
        await exchange.PutAsync(DaemonKey(3, 0, 4), [9]); // Contradicts the card: kept as bytes.
        await exchange.PutAsync(EngineKey(3, 0, 4, model: "unknown"), [8], [.. Note(Shard(TheCard, 0, 4)).Select((b, index) => index < 4 ? (byte)(index == 0 ? 1 : 0) : b)]);
        await exchange.Cache.FlushAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Get_AfterARestart_FindsEverythingUnderTheSameKeys()
    {
        await FillAsync();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard]), tiers: OpenDirectory());
        var layouts = Enumerable.Range(0, 4).Select(rank => Shard(TheCard, rank, 4)).ToArray();
        for (var rank = 0; rank < 8; rank++)
        {
            var wanted = Shard(TheCard, rank, 8);
            Assert.Equal(
                KvReference.Convert(layouts, [.. layouts.Select(layout => KvReference.Fill(layout, 1))], wanted), await exchange.ExpectAsync(EngineKey(1, rank, 8), there: true));
        }
        Assert.Equal(KvReference.Fill(Shard(TheCard, 2, 4, tokens: 3), 2), await exchange.ExpectAsync(EngineKey(2, 2, 4) + "kv_bytes", there: true));
        Assert.Equal(Note(Shard(TheCard, 2, 4, tokens: 3)), await exchange.ExpectAsync(EngineKey(2, 2, 4) + "metadata", there: true));
        Assert.Equal([1, 2, 3], await exchange.ExpectAsync("plain", there: true));
        Assert.Equal([9], await exchange.ExpectAsync(DaemonKey(3, 0, 4), there: true));
        Assert.Equal([8], await exchange.ExpectAsync(EngineKey(3, 0, 4, model: "unknown") + "kv_bytes", there: true));
        await exchange.ExpectAsync(EngineKey(3, 1, 4, model: "unknown") + "kv_bytes", there: false);
        await exchange.ExpectAsync(DaemonKey(2, 0, 4), there: false); // Not a full chunk, and the daemon reads no other.
    }

    [Fact]
    public async Task Exists_OfWhatADirectoryHas_ReadsNoPayload()
    {
        await FillAsync();
        var directory = OpenDirectory();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard]), tiers: directory);
        foreach (var key in (string[])[EngineKey(1, 3, 8), EngineKey(1, 0, 2) + "metadata", EngineKey(2, 1, 4, "half") + "kv_bytes", DaemonKey(1, 0, 1), "plain"])
        {
            Assert.True(await exchange.ExistsAsync(key));
        }
        Assert.Equal(0, directory.Counts.Reads);
    }

    [Fact]
    public async Task Exists_OfWhatADiskHas_ReadsNoPayload()
    {
        var options = new DiskTierOptions { Path = Path.Combine(_path, "disk"), CapacityBytes = 64 << 20 };
        Task<DiskTier> OpenAsync() => DiskTier.OpenAsync(options, TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None);
        await using (var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard]), tiers: await OpenAsync()))
        {
            for (var rank = 0; rank < 2; rank++)
            {
                await exchange.PutPairAsync(EngineKey(1, rank, 2), KvReference.Fill(Shard(TheCard, rank, 2), 1), Note(Shard(TheCard, rank, 2)));
            }
            await exchange.PutAsync("plain", [4]);
            await exchange.Cache.FlushAsync(CancellationToken.None);
        }
        var disk = await OpenAsync();
        await using var restarted = new ClientStoreHarness(cards: new ModelCards([TheCard]), tiers: disk);
        Assert.True(await restarted.ExistsAsync(EngineKey(1, 3, 4, "half") + "metadata"));
        Assert.True(await restarted.ExistsAsync(DaemonKey(1, 0, 1)));
        Assert.True(await restarted.ExistsAsync("plain"));
        Assert.False(await restarted.ExistsAsync(EngineKey(2, 3, 4)));
        Assert.Equal(0, disk.Counts.Reads);
        await restarted.ExpectAsync(EngineKey(1, 3, 4, "half") + "metadata", there: true);
        await restarted.ExpectAsync(DaemonKey(1, 0, 1), there: true);
        await restarted.ExpectAsync("plain", there: true);
    }

    /// <summary>What LMCache was told is there it asks for next: by then it is in memory. Shards of other ranks count for themselves.</summary>
    [Fact]
    public async Task Get_AfterExistsWithPrefetch_ReadsNoTier()
    {
        await FillAsync();
        var directory = OpenDirectory();
        await using var exchange = new ClientStoreHarness(
            cards: new ModelCards([TheCard]), bounds: new RecordCacheOptions { PrefetchBytesAheadMax = 1 << 20 }, tiers: directory);
        string[] keys = [EngineKey(1, 0, 4) + "kv_bytes", EngineKey(1, 6, 8) + "kv_bytes", DaemonKey(1, 1, 4), "plain", EngineKey(3, 0, 4, model: "unknown") + "kv_bytes"];
        foreach (var key in keys)
        {
            Assert.True(await exchange.ExistsAsync(key));
        }
        await Eventually.HoldsAsync(() => exchange.Cache.Prefetcher.Counts.Loaded == keys.Length);
        await Eventually.HoldsAsync(() => exchange.Cache.Prefetcher.Counts.AheadBytes > 0);
        var reads = directory.Counts.Reads;
        foreach (var key in keys)
        {
            await exchange.ExpectAsync(key, there: true);
        }

        Assert.Equal(reads, directory.Counts.Reads);
        Assert.Equal((keys.Length, 0L), (exchange.Cache.Prefetcher.Counts.Used, exchange.Cache.Prefetcher.Counts.AheadBytes));
        Assert.Equal(keys.Length, reads);
    }

    [Theory]
    [InlineData(ConvertMode.Off, 0)]
    [InlineData(ConvertMode.Log, 6)]
    public async Task Get_ConversionIsOff_CountsWhatATierCouldHaveServed(ConvertMode mode, int counted)
    {
        await FillAsync();
        var directory = OpenDirectory();
        await using var exchange = new ClientStoreHarness(new ClientStoreOptions { Convert = mode }, new ModelCards([TheCard]), tiers: directory);
        Assert.False(await exchange.ExistsAsync(EngineKey(2, 1, 2) + "kv_bytes"));
        Assert.False(await exchange.ExistsAsync(EngineKey(2, 1, 2) + "metadata"));
        Assert.Equal(0, directory.Counts.Reads);
        await exchange.ExpectAsync(EngineKey(1, 0, 8), there: false);
        await exchange.ExpectAsync(EngineKey(1, 0, 4, "half"), there: false);
        await exchange.ExpectAsync(EngineKey(9, 0, 8), there: false); // Nobody has it.
        await exchange.ExpectAsync(EngineKey(1, 0, 4), there: true); // As it is: nothing to convert.
        Assert.Contains($"ferry_client_would_convert_total{{model=\"{Model}\"}} {counted}.0", exchange.Metrics());
    }

    [Fact]
    public async Task Get_OneShardIsGoneFromTheTier_IsAMissForThoseWhoNeedIt()
    {
        await FillAsync();
        var lost = Directory.EnumerateFiles(_path, "2-2-8-*", SearchOption.AllDirectories).ToArray();
        Assert.Equal(2, lost.Length);
        Array.ForEach(lost, File.Delete);
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard]), tiers: OpenDirectory());
        await exchange.ExpectAsync(EngineKey(1, 0, 4), there: true);
        await exchange.ExpectAsync(EngineKey(1, 0, 2), there: false);
        await exchange.ExpectAsync(EngineKey(1, 1, 2), there: true);
        await exchange.ExpectAsync(EngineKey(1, 3, 8), there: false);
        await exchange.ExpectAsync(EngineKey(1, 0, 1), there: false);
    }

    [Fact]
    public async Task Get_TheTierHasAlsoAnotherType_TakesTheOneThatIsNotRounded()
    {
        var card = TheCard with { Fp8Scales = new Dictionary<KvDType, float> { [KvDType.Float8E4M3Fn] = 1f } };
        foreach (var order in (string[][])[["fp8_e4m3fn", "bfloat16"], ["bfloat16", "fp8_e4m3fn"]])
        {
            var tier = new FaultyTier();
            await using (var exchange = new ClientStoreHarness(cards: new ModelCards([card]), tiers: tier))
            {
                foreach (var dtype in order)
                {
                    var layout = Shard(card, 0, 1, dtype == "bfloat16" ? KvDType.BFloat16 : KvDType.Float8E4M3Fn);
                    await exchange.PutAsync(EngineKey(1, 0, 1, dtype), KvReference.Fill(layout, 1), Note(layout));
                }
                await exchange.Cache.FlushAsync(CancellationToken.None);
            }
            await using var restarted = new ClientStoreHarness(cards: new ModelCards([card]), tiers: tier);
            Assert.Equal(KvReference.Fill(Shard(card, 1, 2), 1), await restarted.GetAsync(EngineKey(1, 1, 2)));
        }
    }

    [Fact]
    public async Task Get_TheCardChanged_RecordsThatContradictItAreMisses()
    {
        await FillAsync();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard with { KvHeads = 4, HeadDim = 8 }]), tiers: OpenDirectory());
        await exchange.ExpectAsync(EngineKey(1, 0, 4), there: false);
        await exchange.ExpectAsync(EngineKey(1, 0, 2) + "metadata", there: false);
        Assert.Equal([9], await exchange.ExpectAsync(DaemonKey(3, 0, 4), there: true));
    }

    [Fact]
    public async Task Get_ACardCame_WhatWasKeptAsBytesIsStillThere()
    {
        await FillAsync(ModelCards.None);
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard]), tiers: OpenDirectory());
        Assert.Equal(KvReference.Fill(Shard(TheCard, 1, 4), 1), await exchange.ExpectAsync(EngineKey(1, 1, 4), there: true));
        await exchange.ExpectAsync(EngineKey(1, 1, 8), there: false);
    }

    [Fact]
    public async Task Exists_OfRecordsWhoseNamesSayNothing_ReadsThemAndAnswersRight()
    {
        var tier = new FaultyTier(); // Its families are numbers of its own.
        var layouts = Enumerable.Range(0, 2)
            .Select(rank => (Shard(TheCard, 0, 1) with { BlockTokens = 2, Order = KvOrder.Nhd, Packing = KvPacking.Halves }).ForRank(rank, 2)).ToArray();
        UInt128 fingerprint = 77;
        foreach (var layout in layouts)
        {
            var payload = KvReference.Fill(layout, 1);
            var header = KvRecordHeader.Describe(layout, fingerprint, 0, Ferry.Kv.Hashing.ChunkHash.TryParse(Hash(1))!.Value, "", payload);
            var record = new byte[header.RecordBytes];
            KvRecord.Write(header, record);
            payload.CopyTo(record, KvRecord.HeaderBytes);
            await tier.PutAsync(header, record, CancellationToken.None);
        }
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard with { Fingerprint = fingerprint }]), tiers: tier);
        Assert.Equal(
            KvReference.Convert(layouts, [.. layouts.Select(layout => KvReference.Fill(layout, 1))], Shard(TheCard, 0, 1)), await exchange.ExpectAsync(DaemonKey(1, 0, 1), there: true));
        await using var off = new ClientStoreHarness(
            new ClientStoreOptions { Convert = ConvertMode.Off }, new ModelCards([TheCard with { Fingerprint = fingerprint }]), tiers: tier);
        await off.ExpectAsync(DaemonKey(1, 0, 1), there: false);
    }

    [Fact]
    public async Task Get_LayersAfterARestart_AreMadeIntoWholeChunksAndBack()
    {
        var card = TheCard with { Layerwise = true };
        await using (var exchange = new ClientStoreHarness(cards: new ModelCards([card]), tiers: OpenDirectory()))
        {
            foreach (var layer in (int[])[0, 1])
            {
                var one = Shard(card, 0, 1) with { Layers = 1, Order = KvOrder.T2d };
                await exchange.PutPairAsync(EngineKey(1, 0, 1, suffix: $"@{layer}"), KvReference.Fill(one, layer), Note(one));
            }
            await exchange.PutPairAsync(EngineKey(2, 0, 1), KvReference.Fill(Shard(card, 0, 1), 2), Note(Shard(card, 0, 1)));
            await exchange.Cache.FlushAsync(CancellationToken.None);
        }
        var directory = OpenDirectory();
        await using var restarted = new ClientStoreHarness(cards: new ModelCards([card]), tiers: directory);
        Assert.True(await restarted.ExistsAsync(EngineKey(1, 1, 2)));
        Assert.True(await restarted.ExistsAsync(EngineKey(2, 3, 4, suffix: "@1") + "metadata"));
        Assert.Equal(0, directory.Counts.Reads);
        await restarted.ExpectAsync(EngineKey(1, 1, 2), there: true);
        await restarted.ExpectAsync(EngineKey(2, 3, 4, suffix: "@1") + "metadata", there: true);
        await restarted.ExpectAsync(EngineKey(3, 0, 1), there: false);
    }

    [Fact]
    public async Task Get_TheTierFails_IsAMiss()
    {
        var tier = new FaultyTier();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard]), tiers: tier);
        await exchange.PutPairAsync(EngineKey(1, 0, 1), KvReference.Fill(Shard(TheCard, 0, 1), 1), Note(Shard(TheCard, 0, 1)));
        await exchange.Cache.FlushAsync(CancellationToken.None);
        exchange.Cache.Memory.Clear();
        tier.Fault = new IOException("gone");
        await exchange.ExpectAsync(EngineKey(1, 0, 1), there: false);
        tier.Fault = null;
        exchange.Time.Advance(TimeSpan.FromSeconds(5)); // The breaker tries again.
        await exchange.ExpectAsync(EngineKey(1, 1, 2), there: true);
    }
}
