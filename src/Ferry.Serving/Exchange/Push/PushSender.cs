using System.Text.Json.Nodes;
using Ferry.Cache.Records;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Kv.Keys;
using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange.Push;

/// <summary>The prefill node's side of pushes: decides for each request how it is handed over, and gives what the engine computes to the request's job. The engine's thread only.</summary>
/// <param name="costs">What hand-overs take; null unless the mode is chosen by that.</param>
/// <param name="track">Keeps a task until it ends.</param>
internal sealed class PushSender(KvPool pool, ChunkSaver saver, KvExchangeOptions options, HandoverCosts? costs, Action<Task> track, CancellationToken stop)
{
    private readonly HandoverMode[] _modes = ModesOf(options.Handover, pool.IsLayerMajor);
    private int _jobCount; // Jobs end on other threads.

    /// <summary>Set once the hand-over opens; until then nothing is pushed.</summary>
    public PushLine? Line { get; set; }

    public bool SavesLayers => _modes.Contains(HandoverMode.PushLayerwise);

    /// <summary>What pushes a request's chunks, decided once for each request; null: its decode node pulls, or no router named one.</summary>
    public PushJob? JobOf(EngineRequest request, string requestId, JsonObject? parameters)
    {
        if (request.IsPushDecided)
        {
            return request.Push;
        }
        request.IsPushDecided = true;
        if (options.Handover == HandoverMode.Pull || Line is not { } line || HandoverParams.TryReadTarget(parameters) is not { } target
            || target.EngineId == options.EngineId || Volatile.Read(ref _jobCount) >= options.PushesMax)
        {
            return null;
        }
        request.IsMeasured = costs is not null;
        var mode = costs?.Choose(target.EngineId, BytesOf(request.ExpectedTokens), _modes) ?? _modes[0];
        if (mode == HandoverMode.Pull)
        {
            return null;
        }
        Interlocked.Increment(ref _jobCount);
        request.Push = new PushJob(line, requestId, target, mode, stop);
        track(CountEndAsync(request.Push));
        return request.Push;
    }

    /// <summary>One layer of a piece is computed.</summary>
    public void SaveLayer(EngineRequest request, in KvSave save, int layer)
    {
        if (JobOf(request, save.RequestId, save.TransferParams) is not { Mode: HandoverMode.PushLayerwise } push)
        {
            return;
        }
        if (layer == 0 && saver.TryBeginLayers(save, request.Chain.KeyOf(save.Prompt.Span, save.FirstToken, save.TokenCount)) is { } begun)
        {
            var added = begun.ToPushed();
            request.Layered.Add((begun, push.TryAdd(added) ? added : null));
        }
        var firstToken = save.FirstToken;
        if (request.Layered.Find(one => one.Piece.FirstToken == firstToken) is { Piece: { } piece } found && piece.LayersDone == layer)
        {
            saver.SaveLayer(save, piece);
            if (found.Pushed is { } pushed)
            {
                pushed.Advance(piece.LayersDone);
                push.Touch(pushed);
            }
        }
    }

    /// <summary>All of a piece is computed and lies in memory.</summary>
    /// <param name="layered">What pushes it already; null: nothing does.</param>
    /// <param name="records">Stay the caller's.</param>
    public void Save(EngineRequest request, in KvSave save, in KvKey key, PushedChunk? layered, IReadOnlyList<RecordLease> records)
    {
        if (JobOf(request, save.RequestId, save.TransferParams) is not { } push)
        {
            return;
        }
        if (layered is not null)
        {
            push.Touch(layered);
            return;
        }
        RecordLease[] held = [.. records.Select(record => record.Duplicate())];
        push.TryAdd(new PushedChunk(key, [.. held.Select(record => new PushedShard(record.ArenaOffset, record.RecordBytes))], layerCount: 0, held));
    }

    /// <summary>The one mode of the options, or all. A pool whose layers do not lie apart has nothing to push by layers.</summary>
    private static HandoverMode[] ModesOf(HandoverMode asked, bool hasLayers) => asked switch
    {
        HandoverMode.Auto => hasLayers ? [HandoverMode.Pull, HandoverMode.Push, HandoverMode.PushLayerwise] : [HandoverMode.Pull, HandoverMode.Push],
        HandoverMode.PushLayerwise when !hasLayers => [HandoverMode.Push],
        _ => [asked],
    };

    /// <summary>Payload bytes of a prompt, all ranks together.</summary>
    private long BytesOf(int tokens) =>
        (long)tokens * Enumerable.Range(0, pool.TensorParallelSize).Sum(rank => pool.RankLayout(rank, options.ChunkTokens).PayloadBytes) / options.ChunkTokens;

    private async Task CountEndAsync(PushJob push)
    {
        await push.Completion;
        Interlocked.Decrement(ref _jobCount);
    }
}
