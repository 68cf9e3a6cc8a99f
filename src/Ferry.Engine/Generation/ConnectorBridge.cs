using System.Text.Json.Nodes;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.Engine.Scheduling;
using Microsoft.Extensions.Logging;

namespace Ferry.Engine.Generation;

/// <summary>Speaks to the connector for the engine's thread. Whatever it throws costs a request its KV, never the engine.</summary>
internal sealed class ConnectorBridge
{
    private readonly IKvConnector _connector;
    private readonly KvPool _pool;
    private readonly ILogger _logger;

    /// <exception cref="ArgumentException">Chunks and blocks do not fit together.</exception>
    public ConnectorBridge(IKvConnector connector, KvPool pool, ILogger logger)
    {
        if (connector.ChunkTokens < 1 || connector.ChunkTokens % pool.BlockTokens != 0)
        {
            throw new ArgumentException($"The connector's chunk has {connector.ChunkTokens} tokens, which is no multiple of the pool's block " +
                $"({pool.BlockTokens} tokens). Choose a chunk size that is.", nameof(connector));
        }
        (_connector, _pool, _logger) = (connector, pool, logger);
        connector.Attach(pool);
        SavesLayers = connector.SavesLayers;
    }

    /// <summary>Whether <see cref="SaveLayer"/> is wanted.</summary>
    public bool SavesLayers { get; }

    /// <summary>Begins a load, or null: nothing to load.</summary>
    public IKvLoad? TryBeginLoad(RequestState request, int localTokens)
    {
        try
        {
            return _connector.TryBeginLoad(new KvLoadRequest(
                request.Request.RequestId, request.Prompt, localTokens, request.Request.CacheSalt, request.Request.TransferParams));
        }
        catch (Exception error)
        {
            EngineLog.ConnectorFailed(_logger, request.Request.RequestId, error);
            return null;
        }
    }

    /// <summary>What is wrong with what arrived, or null.</summary>
    public string? FindFault(RequestState request, KvLoadResult result, int localTokens) =>
        LoadChecker.FindFault(result, _pool, _connector.ChunkTokens, request.Prompt.Length, localTokens);

    /// <summary>Copies what arrived into the sequence's blocks, leaving alone those that came from the prefix cache.</summary>
    public void CopyIn(Sequence sequence, KvLoadResult loaded, int localTokens, int endToken)
    {
        var localBlocks = localTokens / _pool.BlockTokens;
        foreach (var chunk in loaded.Chunks)
        {
            var firstBlock = chunk.FirstToken / _pool.BlockTokens;
            var blocks = sequence.BlockTable.Span.Slice(firstBlock, sequence.BlocksFor(chunk.TokenCount));
            var skipBlocks = Math.Clamp(localBlocks - firstBlock, 0, blocks.Length);
            if (skipBlocks == blocks.Length || chunk.FirstToken >= endToken) { continue; }
            for (var rank = 0; rank < chunk.RankPayloads.Count; rank++)
            {
                _pool.CopyIn(rank, blocks, chunk.TokenCount, skipBlocks, chunk.RankPayloads[rank].Span);
            }
        }
    }

    /// <summary>Gives the connector every chunk that is computed and that it has not been given: those of the prompt, and full ones of generated tokens if it wants them.</summary>
    public void SaveComputed(RequestState request)
    {
        var sequence = request.Leader;
        var computed = Math.Min(sequence.ComputedTokens, sequence.PromptCount);
        while (request.SavedTokens < computed)
        {
            var end = Math.Min(request.SavedTokens + _connector.ChunkTokens, sequence.PromptCount);
            if (end > computed) { return; }
            Save(request, request.SavedTokens, end, request.Prompt.AsMemory(0, end));
        }
        if (_connector.SavesGenerated && request.SavedTokens >= sequence.PromptCount) { SaveGenerated(request); }
    }

    /// <summary>Gives the connector a layer of every chunk of the prompt that ends in these positions.</summary>
    public void SaveLayer(RequestState request, in LayerProgress progress)
    {
        var sequence = request.Leader;
        var first = progress.FirstPosition / _connector.ChunkTokens * _connector.ChunkTokens;
        while (first < sequence.PromptCount)
        {
            var end = Math.Min(first + _connector.ChunkTokens, sequence.PromptCount);
            if (end > progress.EndPosition) { return; }
            // What was saved before is computed again after a preemption.
            if (first >= request.SavedTokens) { SaveOneLayer(request, first, end, progress.Layer); }
            first = end;
        }
    }

    private void SaveOneLayer(RequestState request, int first, int end, int layer)
    {
        try
        {
            _connector.SaveLayer(SaveOf(request, first, end, request.Prompt.AsMemory(0, end)), layer);
        }
        catch (Exception error)
        {
            EngineLog.ConnectorFailed(_logger, request.Request.RequestId, error);
        }
    }

    /// <summary>The chunk in which the prompt ends was saved unfull, if at all; it is saved again once it is full, as every chunk behind it.</summary>
    private void SaveGenerated(RequestState request)
    {
        var sequence = request.Leader;
        while (true)
        {
            var first = request.SavedTokens / _connector.ChunkTokens * _connector.ChunkTokens;
            var end = first + _connector.ChunkTokens;
            if (end > sequence.ComputedTokens) { return; }
            Save(request, first, end, sequence.Tokens[..end]);
        }
    }

    private void Save(RequestState request, int first, int end, ReadOnlyMemory<int> tokens)
    {
        request.SavedTokens = end;
        try
        {
            _connector.Save(SaveOf(request, first, end, tokens));
        }
        catch (Exception error)
        {
            EngineLog.ConnectorFailed(_logger, request.Request.RequestId, error);
        }
    }

    private KvSave SaveOf(RequestState request, int first, int end, ReadOnlyMemory<int> tokens)
    {
        var sequence = request.Leader;
        return new KvSave(
            request.Request.RequestId, tokens, first, end - first, sequence.BlockTable[(first / _pool.BlockTokens)..sequence.BlocksFor(end)],
            end == sequence.PromptCount, request.Request.CacheSalt, request.Request.TransferParams, IsGenerated: end > sequence.PromptCount);
    }

    /// <summary>Tells that the request ended; its <c>kv_transfer_params</c>, or null.</summary>
    public JsonObject? RequestFinished(RequestState request, bool completed)
    {
        try
        {
            return _connector.RequestFinished(request.Request.RequestId, completed);
        }
        catch (Exception error)
        {
            EngineLog.ConnectorFailed(_logger, request.Request.RequestId, error);
            return null;
        }
    }
}
