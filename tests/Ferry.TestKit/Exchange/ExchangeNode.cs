using System.Text.Json.Nodes;
using Ferry.Engine;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Serving;
using Ferry.Serving.Exchange;
using Ferry.Transfer;
using Ferry.Transfer.InProcess;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.TestKit.Exchange;

/// <summary>An exchange with a real pool and, in place of an engine, methods that call it as the engine would.</summary>
public sealed class ExchangeNode : IAsyncDisposable
{
    public const int ChunkTokens = 256;
    public static readonly UInt128 Model = new(0xfeed, 0xbeef);

    private readonly PagedKvPool _pool;

    private ExchangeNode(KvExchange exchange, PagedKvPool pool)
    {
        Exchange = exchange;
        _pool = pool;
    }

    public KvExchange Exchange { get; }

    /// <summary>Null without a network.</summary>
    public ITransferAgent? Agent { get; private init; }

    public KvPool Pool => _pool;

    public KvTotals Totals => Exchange.Reports.Snapshot();

    /// <summary>Starts a node whose agent, if there is a network, is found at <c>name:5600</c>.</summary>
    public static async Task<ExchangeNode> StartAsync(
        string name, DeviceProfile device, int tensorParallelSize, InProcessNetwork? network, TimeProvider time,
        Func<KvExchangeOptions, KvExchangeOptions>? configure = null, Func<ITransferAgent, ITransferAgent>? wrap = null)
    {
        var options = new KvExchangeOptions
        {
            EngineId = $"engine-{name}",
            Model = Model,
            ChunkTokens = ChunkTokens,
            MemoryBytes = 4 << 20,
            AdvertisedHost = name,
        };
        options = configure?.Invoke(options) ?? options;
        var exchange = new KvExchange(options, time, NullLoggerFactory.Instance);
        var pool = new PagedKvPool(
            KvTruth.Layers, KvTruth.Heads, KvTruth.HeadDim, KvPoolOptions.For(device) with { TensorParallelSize = tensorParallelSize, BlockCount = 2048 / device.BlockTokens });
        exchange.Attach(pool);
        ITransferAgent? transfer = null;
        if (network is not null)
        {
            await exchange.StartAsync((kv, handler, _) =>
            {
                var agent = new TransferAgentOptions { EngineId = options.EngineId, Kv = kv, Handler = handler, Clock = time };
                var started = InProcessTransferAgent.Start(network, $"{name}:5600", agent);
                return Task.FromResult(transfer = wrap?.Invoke(started) ?? started);
            }, CancellationToken.None);
        }
        return new ExchangeNode(exchange, pool) { Agent = transfer };
    }

    public static int[] Prompt(int tokenCount, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, tokenCount).Select(_ => random.Next(32_000))];
    }

    public static JsonObject AskToLend() => new() { ["do_remote_decode"] = true, ["do_remote_prefill"] = false };

    /// <summary>Computes a prompt and ends the request, as a prefill node does.</summary>
    /// <returns>The answer's <c>kv_transfer_params</c>.</returns>
    public JsonObject? Prefill(string requestId, int[] prompt, JsonObject? parameters = null, string salt = "", bool completed = true, KvTruth? truth = null)
    {
        Fill(prompt, truth);
        for (var first = 0; first < prompt.Length; first += ChunkTokens)
        {
            Exchange.Save(PieceOf(requestId, prompt, first, parameters, salt));
        }
        return Exchange.RequestFinished(requestId, completed);
    }

    /// <summary>Puts the prompt's KV into the pool.</summary>
    public void Fill(int[] prompt, KvTruth? truth = null) => (truth ?? new KvTruth()).Fill(_pool, prompt.Length);

    /// <summary>The chunk that begins at a token, as the engine would give it to the exchange.</summary>
    public KvSave PieceOf(string requestId, int[] prompt, int first, JsonObject? parameters, string salt = "")
    {
        var count = Math.Min(ChunkTokens, prompt.Length - first);
        var blocks = Enumerable.Range(first / _pool.BlockTokens, (count + _pool.BlockTokens - 1) / _pool.BlockTokens).ToArray();
        return new KvSave(requestId, prompt.AsMemory(0, first + count), first, count, blocks, first + count == prompt.Length, salt, parameters);
    }

    /// <summary>Asks for what a decode node lacks; the result holds nothing when there is nothing to load.</summary>
    public async Task<KvLoadResult> LoadAsync(string requestId, int[] prompt, JsonObject? parameters = null, int localTokens = 0, string salt = "")
    {
        var load = Exchange.TryBeginLoad(new KvLoadRequest(requestId, prompt, localTokens, salt, parameters));
        return load is null ? KvLoadResult.Nothing : await load.Completion;
    }

    /// <summary>Tokens from <paramref name="firstToken"/> on that the result brings, or -1 when a byte is wrong.</summary>
    public int CountRightTokens(KvLoadResult result, int firstToken = 0, KvTruth? truth = null)
    {
        var next = firstToken;
        foreach (var chunk in result.Chunks)
        {
            for (var rank = 0; rank < _pool.TensorParallelSize; rank++)
            {
                var expected = (truth ?? new KvTruth()).Of(_pool.RankLayout(rank, chunk.TokenCount), chunk.FirstToken);
                if (chunk.FirstToken != next || !chunk.RankPayloads[rank].Span.SequenceEqual(expected))
                {
                    return -1;
                }
            }
            next += chunk.TokenCount;
        }
        return next - firstToken;
    }

    public KvRequestReport Report(string requestId) => Exchange.Reports.TryGet(requestId) ?? throw new InvalidOperationException($"No report of {requestId}.");

    /// <summary>Ends the node; what it still leases or holds afterwards is a leak.</summary>
    /// <exception cref="InvalidOperationException">Something leaked.</exception>
    public async ValueTask DisposeAsync()
    {
        Exchange.Cache.Memory.CheckIntegrity();
        await Exchange.DisposeAsync();
        _pool.Dispose();
        var memory = Exchange.Cache.Memory.Snapshot();
        if (memory is not { Leases: 0, HeldBytes: 0, UsedBytes: 0 })
        {
            throw new InvalidOperationException($"The node leaks: {memory}");
        }
    }
}
