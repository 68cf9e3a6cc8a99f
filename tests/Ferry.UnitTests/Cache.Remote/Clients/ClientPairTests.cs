using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Conversion;
using Xunit;
using static Ferry.UnitTests.Cache.Remote.Clients.ClientStoreHarness;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>The two keys of LMCache's <c>redis://</c>: one record, seen whole or not at all.</summary>
public sealed class ClientPairTests
{
    private static readonly ModelCard TheCard = Card();
    private static readonly string Key = EngineKey(1, 0, 4);
    private static readonly byte[] Value = KvReference.Fill(Shard(TheCard, 0, 4), 1);
    private static readonly byte[] TheNote = Note(Shard(TheCard, 0, 4));

    public static TheoryData<bool, bool> Ways() => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    private static ClientStoreHarness Exchange(bool withCard, ClientStoreOptions? options = null, FaultyTier? tier = null) =>
        new(options, withCard ? new ModelCards([TheCard]) : null, tiers: tier is null ? [] : [tier]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Put_BothHalvesInEitherOrder_AreSeenOnlyTogether(bool withCard, bool noteFirst)
    {
        await using var exchange = Exchange(withCard);
        var halves = new[] { (Key + "kv_bytes", Value), (Key + "metadata", TheNote) };
        if (noteFirst)
        {
            Array.Reverse(halves);
        }
        Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(halves[0].Item1, halves[0].Item2));
        foreach (var key in (string[])[Key, Key + "kv_bytes", Key + "metadata"])
        {
            await exchange.ExpectAsync(key, there: false);
        }
        Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(halves[1].Item1, halves[1].Item2));
        Assert.Equal(Value, await exchange.ExpectAsync(Key + "kv_bytes", there: true));
        Assert.Equal(TheNote, await exchange.ExpectAsync(Key + "metadata", there: true));
        Assert.Equal(Value, await exchange.ExpectAsync(Key, there: true)); // lm:// asks so.
        Assert.Equal(TheNote, await exchange.GetNoteAsync(Key));
        Assert.Equal(1, exchange.Memory.Records);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Put_OverLm_IsReadAsAPair(bool withCard)
    {
        await using var exchange = Exchange(withCard);
        await exchange.PutAsync(Key, Value, TheNote);
        Assert.Equal(Value, await exchange.ExpectAsync(Key + "kv_bytes", there: true));
        Assert.Equal(TheNote, await exchange.ExpectAsync(Key + "metadata", there: true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Put_WhatIsThere_IsPresentAndItsMetadataDoesNotWait(bool withCard)
    {
        await using var exchange = Exchange(withCard);
        await exchange.PutPairAsync(Key, Value, TheNote);
        Assert.Equal(ClientPutOutcome.Present, await exchange.PutAsync(Key + "kv_bytes", Value));
        Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(Key + "metadata", TheNote));
        Assert.Contains("ferry_client_pending_halves 0.0", exchange.Metrics(), StringComparison.Ordinal);
        Assert.Equal(Value, await exchange.ExpectAsync(Key + "kv_bytes", there: true));
    }

    [Theory]
    [InlineData("kv_bytes")]
    [InlineData("metadata")]
    public async Task Delete_EitherHalf_TakesBoth(string suffix)
    {
        var tier = new FaultyTier();
        await using var exchange = Exchange(withCard: false, tier: tier);
        await exchange.PutPairAsync(Key, Value, TheNote);
        await exchange.Cache.FlushAsync(CancellationToken.None);
        Assert.True(await exchange.DeleteAsync(Key + suffix));
        await exchange.ExpectAsync(Key + "kv_bytes", there: false);
        await exchange.ExpectAsync(Key + "metadata", there: false);
        Assert.False(await exchange.DeleteAsync(Key + "metadata"));
        Assert.Equal(0, tier.Count);
    }

    [Fact]
    public async Task Delete_AHalfThatWaits_GivesItsRoomBack()
    {
        await using var exchange = Exchange(withCard: true);
        await exchange.PutAsync(Key + "kv_bytes", Value);
        Assert.True(await exchange.DeleteAsync(Key + "metadata"));
        Assert.Equal(0, exchange.Memory.UsedBytes);
        await exchange.PutAsync(Key + "metadata", TheNote);
        await exchange.ExpectAsync(Key + "metadata", there: false);
    }

    [Fact]
    public async Task Halves_ThatWaitTooLong_AreDropped()
    {
        await using var exchange = Exchange(withCard: true, new ClientStoreOptions { PendingTimeout = TimeSpan.FromSeconds(10) });
        await exchange.PutAsync(Key + "kv_bytes", Value);
        await exchange.PutAsync(EngineKey(2, 0, 4) + "metadata", TheNote);
        exchange.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.NotEqual(0, exchange.Memory.UsedBytes);
        exchange.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(0, exchange.Memory.UsedBytes);
        Assert.Contains("ferry_client_pairs_dropped_total{reason=\"time-out\"} 2.0", exchange.Metrics(), StringComparison.Ordinal);
        await exchange.PutAsync(Key + "metadata", TheNote);
        await exchange.ExpectAsync(Key + "metadata", there: false);
    }

    [Fact]
    public async Task Halves_MoreThanTheLimits_TheOldestGoes()
    {
        await using var exchange = Exchange(withCard: true, new ClientStoreOptions { PendingBytesMax = 3 * Value.Length, PendingMax = 6 });
        for (var number = 1; number <= 5; number++)
        {
            await exchange.PutAsync(EngineKey(number, 0, 4) + "kv_bytes", Value);
        }
        for (var number = 1; number <= 5; number++)
        {
            await exchange.PutAsync(EngineKey(number, 0, 4) + "metadata", TheNote);
            await exchange.ExpectAsync(EngineKey(number, 0, 4) + "metadata", there: number > 2);
        }
        for (var number = 10; number < 20; number++)
        {
            await exchange.PutAsync(EngineKey(number, 0, 4) + "metadata", TheNote);
        }
        Assert.Contains("ferry_client_pending_halves 6.0", exchange.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Halves_ThatContradictEachOther_AreNotStored()
    {
        await using var exchange = Exchange(withCard: false);
        await exchange.PutPairAsync(Key, Value[1..], TheNote);
        await exchange.ExpectAsync(Key + "kv_bytes", there: false);
        Assert.Equal(0, exchange.Memory.UsedBytes);
        Assert.Equal(ClientPutOutcome.WrongLength, await exchange.PutAsync(Key, Value[1..], TheNote));
        Assert.Equal(ClientPutOutcome.WrongLength, await exchange.PutAsync(Key + "metadata", new byte[30]));
    }

    [Fact]
    public async Task Put_KeyWithMetadataThatEndsLikeAHalf_IsRefused()
    {
        await using var exchange = Exchange(withCard: false);
        Assert.Equal(ClientPutOutcome.BadKey, await exchange.PutAsync(Key + "@t%kv_bytes", Value, TheNote));
        Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync("my_kv_bytes", [1]));
        Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync("mymetadata", [2]));
        Assert.Equal([1], await exchange.ExpectAsync("my_kv_bytes", there: true));
        Assert.Equal([2], await exchange.ExpectAsync("mymetadata", there: true));
    }

    [Fact]
    public async Task Evicted_TheRecord_BothHalvesAreGone()
    {
        await using var exchange = new ClientStoreHarness(memoryBytes: 3 * (Value.Length + 2048));
        for (var number = 1; number <= 6; number++)
        {
            await exchange.PutPairAsync(EngineKey(number, 0, 4), Value, TheNote);
        }
        for (var number = 1; number <= 6; number++)
        {
            var there = await exchange.ExistsAsync(EngineKey(number, 0, 4) + "metadata");
            await exchange.ExpectAsync(EngineKey(number, 0, 4) + "kv_bytes", there);
            await exchange.ExpectAsync(EngineKey(number, 0, 4) + "metadata", there);
        }
        Assert.True(exchange.Memory.Evictions > 0);
    }

    [Fact]
    public async Task Get_OfAMetadataThatNobodyPut_IsSynthesizedOnlyWithACard()
    {
        foreach (var withCard in (bool[])[false, true])
        {
            await using var exchange = Exchange(withCard);
            await exchange.PutAsync(Key, Value); // The engine's resp:// has no metadata.
            Assert.Equal(Value, await exchange.ExpectAsync(Key, there: true));
            var note = await exchange.ExpectAsync(Key + "metadata", there: withCard);
            Assert.Equal(withCard ? TheNote : null, note);
            await exchange.ExpectAsync(Key + "kv_bytes", there: withCard);
        }
    }
}
