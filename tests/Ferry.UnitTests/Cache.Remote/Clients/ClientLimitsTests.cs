using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.TestKit.Conversion;
using Microsoft.Extensions.Logging;
using Xunit;
using static Ferry.UnitTests.Cache.Remote.Clients.ClientStoreHarness;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>Quotas, what is kept of conversions, contradictions, counters and options.</summary>
public sealed class ClientLimitsTests
{
    private static readonly ModelCard TheCard = Card();

    [Fact]
    public async Task Quota_OfASalt_BoundsThatTenantAlone()
    {
        foreach (var cards in (ModelCards[])[ModelCards.None, new([TheCard])])
        {
            await using var exchange = new ClientStoreHarness(cards: cards);
            var value = KvReference.Fill(Shard(TheCard, 0, 1), 1);
            Assert.True(exchange.Cache.Memory.Quotas.TrySet("tenant", 3 * (value.Length + 1024)));
            Assert.True(exchange.Cache.Memory.Quotas.TrySet("poor", 1000));
            for (var number = 0; number < 10; number++)
            {
                Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(DaemonKey(number, 0, 1, "@tenant"), value));
                Assert.Equal(ClientPutOutcome.OverQuota, await exchange.PutAsync(DaemonKey(number, 0, 1, "@poor"), value));
                Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(DaemonKey(number, 0, 1), value));
            }
            var mine = 0;
            for (var number = 0; number < 10; number++)
            {
                mine += await exchange.ExistsAsync(DaemonKey(number, 0, 1, "@tenant")) ? 1 : 0;
                await exchange.ExpectAsync(DaemonKey(number, 0, 1), there: true);
            }
            Assert.InRange(mine, 1, 3);
            Assert.Contains($"ferry_client_requests_total{{model=\"{Model}\",salt=\"poor\",operation=\"put\",outcome=\"over_quota\"}} 10.0", exchange.Metrics(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Converted_KeptUpToTheLimit_IsNotConvertedAgain()
    {
        var record = Shard(TheCard, 0, 4).PayloadBytes + 1024;
        await using var exchange = new ClientStoreHarness(new ClientStoreOptions { KeptConvertedBytesMax = 2 * record }, new ModelCards([TheCard]));
        var layouts = Enumerable.Range(0, 2).Select(rank => Shard(TheCard, rank, 2)).ToArray();
        for (var rank = 0; rank < 2; rank++)
        {
            await exchange.PutAsync(EngineKey(1, rank, 2), KvReference.Fill(layouts[rank], 1), Note(layouts[rank]));
        }
        for (var round = 0; round < 3; round++)
        {
            foreach (var rank in (int[])[0, 1, 2, 3])
            {
                Assert.Equal(KvReference.Fill(Shard(TheCard, rank, 4), 1), await exchange.ExpectAsync(EngineKey(1, rank, 4), there: true));
                Assert.Equal(KvReference.Fill(Shard(TheCard, rank, 4), 1), await exchange.ExpectAsync(EngineKey(1, rank, 4), there: true));
                Assert.InRange(exchange.Memory.Records, 3, 4);
            }
        }
        var counts = exchange.Metrics();
        Assert.Contains($"ferry_client_requests_total{{model=\"{Model}\",salt=\"none\",operation=\"get\",outcome=\"converted\"}} 12.0", counts, StringComparison.Ordinal);
        Assert.Contains($"ferry_client_requests_total{{model=\"{Model}\",salt=\"none\",operation=\"get\",outcome=\"hit\"}} 12.0", counts, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]?> Contradictions()
    {
        var layout = Shard(TheCard, 0, 1);
        return new()
        {
            { EngineKey(1, 0, 1), Note(layout with { Layers = 1, HeadDim = 8 }) },
            { EngineKey(1, 0, 1), Note(layout with { Tokens = 2, HeadDim = 8 }) },
            { EngineKey(1, 0, 1), Note(layout with { Tokens = 8, HeadDim = 2 }) },
            { EngineKey(1, 0, 1), [.. Note(layout).Select((value, index) => index == 4 ? (byte)5 : value)] }, // KV_MLA
            { EngineKey(1, 0, 1), [.. Note(layout).Select((value, index) => index == 8 ? (byte)2 : value)] }, // fp16, and the key says bf16
            { EngineKey(1, 0, 1), [.. Note(layout), .. new byte[20]] }, // Two KV groups.
            { EngineKey(1, 0, 3), null },
            { EngineKey(1, 5, 1), null },
            { EngineKey(1, 0, 1, "int8"), null },
            { DaemonKey(1, 0, 32), null },
            { DaemonKey(1, 0, 2), null }, // A full chunk of one rank has half as many bytes.
        };
    }

    [Theory]
    [MemberData(nameof(Contradictions))]
    public async Task Put_ContradictsTheCard_IsServedAsBytesToItsOwnKeyOnly(string key, byte[]? note)
    {
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard]));
        var value = KvReference.Fill(Shard(TheCard, 0, 1), 1);
        Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(key, value, note));
        Assert.Equal(value, await exchange.ExpectAsync(key, there: true));
        foreach (var size in (int[])[1, 2, 4])
        {
            await exchange.ExpectAsync(EngineKey(1, 0, size), there: key == EngineKey(1, 0, size));
            await exchange.ExpectAsync(EngineKey(1, 0, size, "half"), there: false);
        }
    }

    [Fact]
    public async Task Put_WithoutMetadataAtAWorldSizeThatTheCardDoesNotList_IsBytes()
    {
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([TheCard with { TensorParallelSizes = [2] }]));
        await exchange.PutAsync(DaemonKey(1, 0, 1), KvReference.Fill(Shard(TheCard, 0, 1), 1));
        await exchange.ExpectAsync(DaemonKey(1, 0, 1), there: true);
        await exchange.ExpectAsync(DaemonKey(1, 0, 2), there: false);
        await exchange.PutAsync(DaemonKey(2, 0, 2), KvReference.Fill(Shard(TheCard, 0, 2), 1));
        await exchange.PutAsync(DaemonKey(2, 1, 2), KvReference.Fill(Shard(TheCard, 1, 2), 1));
        await exchange.ExpectAsync(EngineKey(2, 0, 1), there: true);
    }

    [Fact]
    public async Task Models_ThatTheCardRefuses_StayBytesAndTheLogSaysWhyOnce()
    {
        using var log = new ListLogger();
        await using var exchange = new ClientStoreHarness(cards: new ModelCards([new ModelCard(Model) { Refusal = "latent attention" }]), logger: log.Create());
        await exchange.PutAsync(EngineKey(1, 0, 1), [1, 2], null);
        await exchange.PutAsync(EngineKey(2, 0, 1), [1, 2], null);
        Assert.Equal([1, 2], await exchange.ExpectAsync(EngineKey(1, 0, 1), there: true));
        Assert.Single(log.Lines, line => line.Contains("latent attention", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tenants_MoreThanTheMetricsName_ShareOneSeries()
    {
        await using var exchange = new ClientStoreHarness();
        for (var number = 0; number < 200; number++)
        {
            await exchange.PutAsync(DaemonKey(1, 0, 1, $"@salt{number}"), [1]);
        }
        Assert.Contains("ferry_client_requests_total{model=\"other\",salt=\"other\",operation=\"put\",outcome=\"accepted\"} 136.0", exchange.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_OutOfBounds_AreAllNamedAtOnce()
    {
        var errors = new ClientStoreOptions
        {
            Convert = (ConvertMode)9,
            RecordBytesMax = 1,
            PendingBytesMax = -1,
            PendingMax = 0,
            PendingTimeout = TimeSpan.Zero,
            KeptConvertedBytesMax = -1,
        }.Validate();
        Assert.Equal(6, errors.Count);
        Assert.Empty(new ClientStoreOptions().Validate());
    }

    /// <summary>Keeps what was logged.</summary>
    private sealed class ListLogger : IDisposable
    {
        private readonly LoggerFactory _factory = new();

        public ListLogger() => _factory.AddProvider(new Provider(Lines));

        public List<string> Lines { get; } = [];

        public ILogger<ClientStore> Create() => _factory.CreateLogger<ClientStore>();

        public void Dispose() => _factory.Dispose();

        private sealed class Provider(List<string> lines) : ILoggerProvider, ILogger
        {
            public ILogger CreateLogger(string categoryName) => this;

            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Add(formatter(state, exception));

            public void Dispose()
            {
            }
        }
    }
}
