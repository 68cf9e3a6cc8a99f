using System.Diagnostics;
using System.Text.Json.Nodes;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Serving;
using Ferry.Serving.Exchange;
using Ferry.Serving.Options;
using Ferry.TestKit.Exchange;
using Ferry.Transfer.Media;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks.Handover;

/// <summary>A prefill and a decode node with one hand-over mode over one medium, in this process. In place of an engine a thread saves the prompt's KV at a given pace.</summary>
internal sealed class PushPair : IAsyncDisposable
{
    private const int ChunkTokens = 256;

    // Two prompts and their headers: the one under way, and the one before it until its leases have gone. A decode node gives half of its memory to pushes.
    private const long PromptsHeld = 2;

    private readonly KvExchange _prefill;
    private readonly KvExchange _decode;
    private readonly PagedKvPool _pool;
    private readonly JsonObject _wish;
    private int _requests;

    private PushPair(HandoverMode mode, KvExchange prefill, KvExchange decode, PagedKvPool pool)
    {
        (Mode, _prefill, _decode, _pool) = (mode, prefill, decode, pool);
        _wish = ExchangeNode.AskToLend();
        if (decode.Reports.Snapshot().PushTo is { } place)
        {
            _wish["ferry"] = new JsonObject { ["decode"] = new JsonObject { ["engine_id"] = place.EngineId, ["host"] = place.Host, ["port"] = place.Port } };
        }
    }

    public HandoverMode Mode { get; }

    /// <summary>What carries the bytes, as the decode node tells it; null before the first hand-over.</summary>
    public string? Medium => _decode.Reports.Snapshot().PeersByMedium.Keys.FirstOrDefault();

    /// <summary>Of the mode <c>auto</c>: what it chose.</summary>
    public IReadOnlyList<KvHandoverCost> Costs => _prefill.Reports.Snapshot().Costs;

    /// <param name="pool">Of both nodes, whose KV looks alike; the exchanges only read it.</param>
    public static async Task<PushPair> StartAsync(HandoverMode mode, string medium, PagedKvPool pool, long promptBytes)
    {
        var prefill = await StartAsync("prefill", mode, medium, pool, PromptsHeld * promptBytes);
        var decode = await StartAsync("decode", mode, medium, pool, 2 * PromptsHeld * promptBytes);
        return new PushPair(mode, prefill, decode, pool);
    }

    /// <summary>Prefills a prompt that nobody has seen at so many tokens a second, hands it over, and has the decode node ask for it at once.</summary>
    /// <param name="verifies">Compares every byte that came with the pool's.</param>
    public async Task<PushSample> HandOverAsync(int tokens, double tokensPerSecond, bool verifies)
    {
        var number = ++_requests;
        var (from, to) = ($"p{number}", $"d{number}");
        var prompt = ExchangeNode.Prompt(tokens, seed: (int)Mode * 100_000 + number);
        using var process = Process.GetCurrentProcess();
        var (before, cpu) = (_prefill.Reports.Snapshot(), process.TotalProcessorTime);
        var (answer, prefilled) = await Task.Factory.StartNew(() => Prefill(from, prompt, tokensPerSecond), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var begun = Stopwatch.GetTimestamp();
        using var result = _decode.TryBeginLoad(new KvLoadRequest(to, prompt, 0, "", answer)) is { } load ? await load.Completion : KvLoadResult.Nothing;
        var waited = Stopwatch.GetElapsedTime(begun);
        process.Refresh();
        var (after, report) = (_prefill.Reports.Snapshot(), _decode.Reports.TryGet(to) ?? throw new InvalidOperationException("The decode node has no report."));
        if (result.Chunks.Sum(chunk => chunk.TokenCount) != tokens)
        {
            throw new InvalidOperationException($"{Mode.Name()}: {result.Chunks.Sum(chunk => chunk.TokenCount)} of {tokens} tokens came. {report}");
        }
        if (verifies)
        {
            Verify(result);
        }
        _decode.RequestFinished(to, completed: true);
        _decode.Reports.Forget(to);
        _prefill.Reports.Forget(from);
        return new PushSample(waited, prefilled, process.TotalProcessorTime - cpu, after.BytesPushed - before.BytesPushed, after.BytesPushedEarly - before.BytesPushedEarly, report.HandoverBytes);
    }

    public async ValueTask DisposeAsync()
    {
        await _decode.DisposeAsync();
        await _prefill.DisposeAsync();
    }

    private static async Task<KvExchange> StartAsync(string name, HandoverMode mode, string medium, PagedKvPool pool, long bytes)
    {
        var options = new KvExchangeOptions
        {
            EngineId = name,
            Model = ExchangeNode.Model,
            ChunkTokens = ChunkTokens,
            MemoryBytes = bytes + (bytes / 16),
            Handover = mode,
            LoadDeadline = TimeSpan.FromMinutes(1), // A busy machine takes long over the first round, which touches every page; it is not among those that count.
            AdvertisedHost = "127.0.0.1",
            AdvertisedPort = 0,
            SharesMemory = medium == "shm",
        };
        var exchange = new KvExchange(options, TimeProvider.System, NullLoggerFactory.Instance);
        exchange.Attach(pool);
        IReadOnlyList<DataMedium> media = medium switch
        {
            "tcp" => [],
            "shm" => [new SharedMemoryMedium()],
            _ => [await UcxMedium.StartAsync(new UcxOptions { Transports = medium["ucx ".Length..] }, NullLogger.Instance)],
        };
        await exchange.StartAsync(
            async (kv, handler, token) => await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = name, Port = 0, Kv = kv, Handler = handler, Media = media }, token), CancellationToken.None);
        return exchange;
    }

    // As an engine does: layer by layer where that is wanted, each piece once it is whole.
    private (JsonObject Answer, TimeSpan Prefilled) Prefill(string requestId, int[] prompt, double tokensPerSecond)
    {
        var begun = Stopwatch.GetTimestamp();
        _ = _prefill.TryBeginLoad(new KvLoadRequest(requestId, prompt, 0, "", _wish));
        var layers = _pool.Layers;
        for (var first = 0; first < prompt.Length; first += ChunkTokens)
        {
            var count = Math.Min(ChunkTokens, prompt.Length - first);
            int[] blocks = [.. Enumerable.Range(first / _pool.BlockTokens, (count + _pool.BlockTokens - 1) / _pool.BlockTokens)];
            var piece = new KvSave(requestId, prompt.AsMemory(0, first + count), first, count, blocks, first + count == prompt.Length, "", _wish);
            for (var layer = 0; layer < layers; layer++)
            {
                WaitUntil(begun, TimeSpan.FromSeconds((first + (count * (layer + 1.0) / layers)) / tokensPerSecond));
                if (_prefill.SavesLayers)
                {
                    _prefill.SaveLayer(piece, layer);
                }
            }
            _prefill.Save(piece);
        }
        return (_prefill.RequestFinished(requestId, completed: true) ?? throw new InvalidOperationException("The prefill node lends nothing."), Stopwatch.GetElapsedTime(begun));
    }

    // The processor is left to the others meanwhile, as by a node that computes on an accelerator.
    private static void WaitUntil(long begun, TimeSpan due)
    {
        for (var left = due - Stopwatch.GetElapsedTime(begun); left > TimeSpan.Zero; left = due - Stopwatch.GetElapsedTime(begun))
        {
            Thread.Sleep(left > TimeSpan.FromMilliseconds(1) ? 1 : 0);
        }
    }

    private void Verify(KvLoadResult result)
    {
        foreach (var chunk in result.Chunks)
        {
            int[] blocks = [.. Enumerable.Range(chunk.FirstToken / _pool.BlockTokens, (chunk.TokenCount + _pool.BlockTokens - 1) / _pool.BlockTokens)];
            for (var rank = 0; rank < _pool.TensorParallelSize; rank++)
            {
                var expected = new byte[_pool.RankLayout(rank, chunk.TokenCount).PayloadBytes];
                _pool.CopyOut(rank, blocks, chunk.TokenCount, expected);
                if (!chunk.RankPayloads[rank].Span.SequenceEqual(expected))
                {
                    throw new InvalidOperationException($"{Mode.Name()}: rank {rank} of the chunk at token {chunk.FirstToken} came damaged.");
                }
            }
        }
    }
}
