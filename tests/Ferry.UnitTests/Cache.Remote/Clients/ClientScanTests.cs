using System.Text;
using Ferry.TestKit.Conversion;
using Xunit;
using static Ferry.UnitTests.Cache.Remote.Clients.ClientStoreHarness;

namespace Ferry.UnitTests.Cache.Remote.Clients;

public sealed class ClientScanTests
{
    private static List<string> ScanAll(ClientStoreHarness exchange, int keysMax)
    {
        var found = new List<string>();
        var cursor = 0ul;
        do
        {
            (var keys, cursor) = exchange.Store.Scan(cursor, keysMax);
            Assert.True(keys.Count <= keysMax);
            found.AddRange(keys.Select(Encoding.UTF8.GetString));
            Assert.True(found.Count < 100_000);
        }
        while (cursor != 0);
        return found;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task Scan_InPiecesOfAnySize_GivesEveryKeyOnce(int keysMax)
    {
        var card = Card();
        await using var exchange = new ClientStoreHarness(cards: new([card]));
        Assert.Empty(ScanAll(exchange, keysMax));
        var expected = new List<string>();
        for (var number = 0; number < 5; number++)
        {
            for (var rank = 0; rank < 8; rank++)
            {
                await exchange.PutPairAsync(EngineKey(number, rank, 8), KvReference.Fill(Shard(card, rank, 8), number), Note(Shard(card, rank, 8)));
                expected.AddRange([EngineKey(number, rank, 8) + "kv_bytes", EngineKey(number, rank, 8) + "metadata"]);
            }
            await exchange.PutAsync(DaemonKey(number, 0, 4), KvReference.Fill(Shard(card, 0, 4), number));
            await exchange.PutAsync($"plain {number}", [1], [1, 2]);
            expected.AddRange([DaemonKey(number, 0, 4), $"plain {number}"]);
        }
        var found = ScanAll(exchange, keysMax);
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        Assert.Equal(5 * 10, exchange.Store.Count);
        foreach (var key in found)
        {
            await exchange.ExpectAsync(key, there: true);
        }
        Assert.Empty(exchange.Store.Scan(ulong.MaxValue, 10).Keys); // A cursor that nobody was given.
    }

    [Fact]
    public async Task Scan_WhileOthersPutAndDelete_GivesWhatWasThereAllTheTime()
    {
        await using var exchange = new ClientStoreHarness();
        for (var number = 0; number < 50; number++)
        {
            await exchange.PutAsync($"stays {number}", [1]);
        }
        using var stop = new CancellationTokenSource();
        var churn = Task.Run(async () =>
        {
            for (var round = 0; !stop.IsCancellationRequested; round++)
            {
                await exchange.PutAsync($"goes {round % 40}", [2]);
                await exchange.DeleteAsync($"goes {(round + 20) % 40}");
            }
        });
        for (var round = 0; round < 50; round++)
        {
            Assert.Equal(50, ScanAll(exchange, 7).Where(key => key.StartsWith("stays", StringComparison.Ordinal)).Distinct().Count());
        }
        stop.Cancel();
        await churn;
    }
}
