using System.Text.Json.Nodes;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;

namespace Ferry.TestKit.Engines;

/// <summary>A connector over a <see cref="ChunkStore"/>.</summary>
/// <param name="hold">Loads end only when the test says so (<see cref="ReleaseLoads"/>).</param>
public sealed class MemoryConnector(ChunkStore store, int chunkTokens, bool hold = false) : IKvConnector
{
    private readonly List<(TaskCompletionSource<KvLoadResult> Source, Func<KvLoadResult> Result)> _held = [];
    private KvPool? _pool;

    public int ChunkTokens => chunkTokens;

    public bool SavesGenerated { get; init; }

    public List<(string RequestId, int FirstToken, int TokenCount, bool IsLast)> Saves { get; } = [];

    public List<KvLoadRequest> LoadRequests { get; } = [];

    public List<(string RequestId, bool Completed)> Finished { get; } = [];

    /// <summary>Load results that were given back.</summary>
    public int Released { get; private set; }

    public int Cancelled { get; private set; }

    /// <summary>Changes what a load brings.</summary>
    public Func<IReadOnlyList<KvLoadedChunk>, IReadOnlyList<KvLoadedChunk>>? Tamper { get; set; }

    public Func<JsonObject?>? TransferParams { get; set; }

    public void Attach(KvPool pool) => _pool = pool;

    public IKvLoad? TryBeginLoad(KvLoadRequest request)
    {
        LoadRequests.Add(request);
        if (store.Get(request.CacheSalt, request.Tokens.Span[..Math.Min(chunkTokens, request.Tokens.Length)]) is null && Tamper is null) { return null; }
        var source = new TaskCompletionSource<KvLoadResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        KvLoadResult Result()
        {
            var chunks = Find(request);
            return new KvLoadResult(Tamper?.Invoke(chunks) ?? chunks, () => Released++);
        }
        if (hold) { _held.Add((source, Result)); }
        else { source.SetResult(Result()); }
        return new Load(source, () =>
        {
            Cancelled++;
            source.TrySetResult(KvLoadResult.Nothing);
        });
    }

    public void ReleaseLoads()
    {
        foreach (var (source, result) in _held) { source.TrySetResult(result()); }
        _held.Clear();
    }

    public void Save(in KvSave save)
    {
        Saves.Add((save.RequestId, save.FirstToken, save.TokenCount, save.IsLast));
        var (layouts, payloads) = (new List<KvLayout>(), new List<byte[]>());
        for (var rank = 0; rank < _pool!.TensorParallelSize; rank++)
        {
            layouts.Add(_pool.RankLayout(rank, save.TokenCount));
            payloads.Add(new byte[layouts[rank].PayloadBytes]);
            _pool.CopyOut(rank, save.Blocks.Span, save.TokenCount, payloads[rank]);
        }
        store.Put(save.CacheSalt, save.Prompt.Span, new ChunkStore.StoredChunk(layouts, payloads));
    }

    public JsonObject? RequestFinished(string requestId, bool completed)
    {
        Finished.Add((requestId, completed));
        return completed ? TransferParams?.Invoke() : null;
    }

    private List<KvLoadedChunk> Find(KvLoadRequest request)
    {
        var chunks = new List<KvLoadedChunk>();
        var first = request.LocalTokens / chunkTokens * chunkTokens;
        while (first < request.Tokens.Length)
        {
            var count = Math.Min(chunkTokens, request.Tokens.Length - first);
            if (store.Get(request.CacheSalt, request.Tokens.Span[..(first + count)]) is not { } stored) { break; }
            chunks.Add(new KvLoadedChunk(first, count, [.. Enumerable.Range(0, _pool!.TensorParallelSize).Select(rank => ToRank(stored, rank, count))]));
            first += count;
        }
        return chunks;
    }

    private ReadOnlyMemory<byte> ToRank(ChunkStore.StoredChunk stored, int rank, int tokenCount)
    {
        var target = new byte[_pool!.RankLayout(rank, tokenCount).PayloadBytes];
        ConversionPlan.Create(stored.Layouts, _pool.RankLayout(rank, tokenCount)).Run([.. stored.Payloads.Select(p => (ReadOnlyMemory<byte>)p)], target);
        return target;
    }

    private sealed class Load(TaskCompletionSource<KvLoadResult> source, Action cancel) : IKvLoad
    {
        public Task<KvLoadResult> Completion => source.Task;

        public void Cancel() => cancel();
    }
}
