using Ferry.Cache.Remote.Clients;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>Keys that name no model: bytes in, the same bytes out.</summary>
public sealed class OpaqueKeysTests : IAsyncDisposable
{
    private readonly FaultyTier _tier = new();
    private readonly ClientStoreHarness _exchange;

    public OpaqueKeysTests() => _exchange = new ClientStoreHarness(memoryBytes: 1 << 20, tiers: _tier);

    public ValueTask DisposeAsync() => _exchange.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    public async Task Put_AnyLength_ComesBackAsItWas(int length)
    {
        var value = new byte[length];
        new Random(length).NextBytes(value);
        await _exchange.ExpectAsync("k", there: false);
        Assert.Equal(ClientPutOutcome.Ready, await _exchange.PutAsync("k", value, [1, 2, 3], pieceBytes: 1000));
        Assert.Equal(value, await _exchange.ExpectAsync("k", there: true));
        Assert.Equal([1, 2, 3], await _exchange.GetNoteAsync("k"));
    }

    [Fact]
    public async Task Put_TheSameKeyAgain_TheLastWriterStaysInEveryTier()
    {
        byte[][] values = [[1, 2, 3, 4], [5, 6, 7, 8], [9]];
        foreach (var value in values)
        {
            await _exchange.PutAsync("k", value);
            Assert.Equal(value, await _exchange.ExpectAsync("k", there: true));
            await _exchange.Cache.FlushAsync(CancellationToken.None);
            _exchange.Cache.Memory.Clear();
            Assert.Equal(value, await _exchange.ExpectAsync("k", there: true));
        }
        Assert.Equal(1, _tier.Count);
        Assert.True(await _exchange.DeleteAsync("k"));
        Assert.False(await _exchange.DeleteAsync("k"));
        await _exchange.ExpectAsync("k", there: false);
        Assert.Equal(0, _tier.Count);
    }

    [Fact]
    public async Task BeginPut_GivenUp_LeavesNothing()
    {
        Assert.Equal(ClientPutOutcome.Ready, _exchange.Store.BeginPut("k"u8, 100, [], out var write));
        await Assert.ThrowsAsync<InvalidOperationException>(() => write!.CommitAsync(CancellationToken.None).AsTask());
        Assert.Throws<ArgumentOutOfRangeException>(() => write!.Advance(101));
        write!.Dispose();
        await _exchange.ExpectAsync("k", there: false);
        Assert.Equal(0, _exchange.Memory.UsedBytes);
    }

    [Fact]
    public async Task BeginPut_KeyOrValueBeyondTheLimits_IsRefusedWithTheReason()
    {
        Assert.Equal(ClientPutOutcome.BadKey, await _exchange.PutAsync("", [1]));
        Assert.Equal(ClientPutOutcome.BadKey, await _exchange.PutAsync(new string('k', 513), [1]));
        Assert.Equal(ClientPutOutcome.BadKey, await _exchange.PutAsync("k", [1], new byte[65]));
        Assert.Equal(ClientPutOutcome.TooLarge, await _exchange.PutAsync("k", new byte[1 << 20]));
        await _exchange.ExpectAsync(new string('k', 513), there: false);
    }

    [Fact]
    public async Task Keys_ThatDifferInAnyPart_AreDifferentRecords()
    {
        string[] keys =
        [
            "m@1@0@1aaaaaaaaaaaaaaa@half", "m@2@0@1aaaaaaaaaaaaaaa@half", "m@2@1@1aaaaaaaaaaaaaaa@half", "m@1@0@1aaaaaaaaaaaaaaa@bfloat16", "m@1@0@1aaaaaaaaaaaaaaa@half@0",
            "m@1@0@1aaaaaaaaaaaaaaa@half@1", "m@1@0@1aaaaaaaaaaaaaaa@half@a%b", "m@1@0@1aaaaaaaaaaaaaaa@half@a%c", "m@1@0@1aaaaaaaaaaaaaaa@half@a%b@c%d",
            "m@1@0@1aaaaaaaaaaaaaaa@half@c%d@a%b", "vllm@m@1@0@1aaaaaaaaaaaaaaa@half", "m@01000100@0@1aaaaaaaaaaaaaaa", "m@01000100@1@1aaaaaaaaaaaaaaa",
            "m@01000100@1aaaaaaaaaaaaaaa", "m@01000100@0@1aaaaaaaaaaaaaaa@salt", "M@1@0@1aaaaaaaaaaaaaaa@half", "plain", "plain ", "k\0", "k",
        ];
        foreach (var cards in new[] { Ferry.Cache.Remote.Models.ModelCards.None, new([ClientStoreHarness.Card("m")]) })
        {
            await using var exchange = new ClientStoreHarness(cards: cards);
            for (var index = 0; index < keys.Length; index++)
            {
                Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(keys[index], [(byte)index, 7]));
            }
            for (var index = 0; index < keys.Length; index++)
            {
                Assert.Equal([(byte)index, 7], await exchange.GetAsync(keys[index]));
            }
            Assert.Equal(keys.Length, exchange.Store.Count);
        }
    }

    [Fact]
    public async Task Clear_MemoryAndTier_LeavesNothing()
    {
        await _exchange.PutAsync("a", [1]);
        await _exchange.PutAsync("b", [2]);
        await _exchange.Cache.FlushAsync(CancellationToken.None);
        await _exchange.Store.ClearAsync(CancellationToken.None);
        await _exchange.ExpectAsync("a", there: false);
        await _exchange.ExpectAsync("b", there: false);
    }

    [Fact]
    public async Task ManyClients_PutGetAndDeleteAtOnce_AlwaysGetOneOfTheValuesThatWerePut()
    {
        var keys = Enumerable.Range(0, 4).Select(number => $"key {number}").ToArray();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var round = 0; round < 400; round++)
            {
                var key = keys[random.Next(keys.Length)];
                switch (random.Next(4))
                {
                    case 0:
                        var value = new byte[1 + random.Next(3000)];
                        Array.Fill(value, (byte)worker);
                        await _exchange.PutAsync(key, value, pieceBytes: 700);
                        break;
                    case 1:
                        await _exchange.DeleteAsync(key);
                        break;
                    default:
                        var found = await _exchange.GetAsync(key);
                        Assert.True(found is null || (found.Distinct().Count() == 1 && found[0] < 8));
                        break;
                }
            }
        })));
    }
}
