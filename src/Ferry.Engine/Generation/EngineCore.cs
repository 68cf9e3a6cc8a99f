using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ferry.Engine.Connector;
using Ferry.Engine.Model;
using Ferry.Engine.Sampling;
using Ferry.Engine.Scheduling;
using Ferry.Engine.Tokenization;
using Microsoft.Extensions.Logging;

namespace Ferry.Engine.Generation;

/// <summary>The engine without its thread: requests in, one step at a time, tokens out.</summary>
/// <remarks>One thread calls it. Loads that end elsewhere come through the inbox, which the owner drains between steps.</remarks>
internal sealed class EngineCore
{
    private readonly IModelRunner _runner;
    private readonly Scheduler _scheduler;
    private readonly SchedulerLimits _limits;
    private readonly ConnectorBridge? _connector;
    private readonly Tokenizer _tokenizer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Candidates _candidates;
    private readonly EngineInbox _inbox;
    private readonly Dictionary<Sequence, Choice> _choices = [];
    private readonly EngineCounters _counters = new();
    private readonly List<SequenceSlice> _slices = [];
    private readonly HashSet<Task> _loads = [];
    private float[] _logits = [];
    private StepPlan? _running;

    /// <exception cref="ArgumentException">The limits do not fit together, or the connector's chunks do not fit the pool.</exception>
    public EngineCore(
        IModelRunner runner, SchedulerLimits limits, Tokenizer tokenizer, IKvConnector? connector, EngineInbox inbox,
        TimeProvider time, ILogger logger)
    {
        (_runner, _limits, _tokenizer, _inbox, _time, _logger) = (runner, limits, tokenizer, inbox, time, logger);
        _scheduler = new Scheduler(limits);
        _connector = connector is null ? null : new ConnectorBridge(connector, runner.KvPool, logger);
        if (_connector is { SavesLayers: true }) { runner.LayerStored = SaveLayer; }
        _candidates = new Candidates(runner.VocabularySize);
    }

    internal Scheduler Scheduler => _scheduler;

    /// <summary>Loads under way, those told to end included.</summary>
    public IReadOnlyCollection<Task> Loads => _loads;

    /// <summary>Schedule, run, sample. False: there was nothing to compute.</summary>
    public bool Step()
    {
        StartLoads();
        var plan = _scheduler.Schedule();
        Account(plan);
        if (plan.Scheduled.Count == 0) { return false; }
        try
        {
            CopyLoadedKv(plan);
            RunModel(plan);
        }
        catch (Exception error)
        {
            // The edge of the loop: whatever broke this step, the other requests go on.
            FailStep(plan, error);
            return true;
        }
        _scheduler.Complete(plan);
        SaveComputedKv(plan);
        SampleAndEmit(plan);
        return true;
    }

    /// <summary>Takes a request in.</summary>
    /// <param name="seed">Of its random numbers.</param>
    public void Add(RequestState request, ulong seed)
    {
        // Without prefix caching only the choices of one request share their prompt.
        var nameSpace = _limits.EnablePrefixCaching ? request.Request.CacheSalt : $"{request.Request.CacheSalt}\0{request.Request.RequestId}\0{seed}";
        var sampling = request.Sampling;
        for (var index = 0; index < sampling.N; index++)
        {
            var sequence = new Sequence(
                request.Request.RequestId, index, request.Prompt, nameSpace, _limits.BlockTokens, index == 0 ? null : request.Leader)
            {
                WantsPromptLogits = index == 0 && sampling.PromptLogprobs is not null,
                LoadDecided = _connector is null || index > 0 || sampling.PromptLogprobs is not null,
            };
            var choice = new Choice(
                request, sequence, new TokenSampler(sampling, request.Prompt, request.EndTokens, seed, index),
                new OutputText(_tokenizer.CreateDecoder(sampling.SkipSpecialTokens), sampling.Stop, sampling.IncludeStopInOutput));
            request.Choices.Add(choice);
            _choices.Add(sequence, choice);
            if (!_scheduler.TryAdd(sequence))
            {
                throw new InvalidOperationException("The queue is full; the engine bounds what it posts.");
            }
        }
        request.PromptLogprobs = sampling.PromptLogprobs is null ? null : new TokenLogprobs?[request.Prompt.Length];
    }

    /// <summary>Ends what is not finished of a request. Harmless when all is.</summary>
    public void Abort(RequestState request)
    {
        foreach (var choice in request.Choices)
        {
            if (choice.Finished is null) { Finish(choice, FinishReason.Abort, stopReason: null, [], [], choice.Text.Flush(mayStop: false)); }
        }
    }

    public EngineStats Snapshot() => new()
    {
        Running = _scheduler.Running.Count,
        Waiting = _scheduler.Waiting.Count,
        WaitingForRemoteKv = _scheduler.Waiting.Count(s => s.State == SequenceState.WaitingForRemoteKv),
        KvUsage = (double)_scheduler.HeldBlocks / _limits.BlockCount,
        Preemptions = _scheduler.PreemptionCount,
        PrefixCacheQueries = _counters.PrefixCacheQueries,
        PrefixCacheHits = _counters.PrefixCacheHits,
        ExternalPrefixCacheQueries = _counters.ExternalQueries,
        ExternalPrefixCacheHits = _counters.ExternalHits,
        PromptTokens = _counters.PromptTokens,
        PromptTokensLocalHit = _counters.PromptTokensLocalHit,
        PromptTokensExternal = _counters.PromptTokensExternal,
        PromptTokensComputed = _counters.PromptTokens - _counters.PromptTokensLocalHit - _counters.PromptTokensExternal,
        GenerationTokens = _counters.GenerationTokens,
        Steps = _counters.Steps,
        StepTokens = _counters.StepTokens,
        StepsByTokens = [.. _counters.StepsByTokens],
        RefusedLoads = _counters.RefusedLoads,
        FinishedStop = _counters.Finished[(int)FinishReason.Stop],
        FinishedLength = _counters.Finished[(int)FinishReason.Length],
        FinishedAbort = _counters.Finished[(int)FinishReason.Abort],
        FinishedError = _counters.Finished[(int)FinishReason.Error],
    };

    private void StartLoads()
    {
        while (_scheduler.NextToLoad() is { } sequence)
        {
            sequence.LoadDecided = true;
            var request = _choices[sequence].Request;
            var localTokens = _scheduler.CachedPrefixTokens(sequence);
            _counters.ExternalQueries += sequence.PromptCount - localTokens;
            if (_connector!.TryBeginLoad(request, localTokens) is not { } load) { continue; }
            sequence.State = SequenceState.WaitingForRemoteKv;
            request.Load = load;
            request.LoadStarted = _time.GetTimestamp();
            _loads.RemoveWhere(task => task.IsCompleted);
            _loads.Add(WatchLoadAsync(request, load, localTokens));
        }
    }

    private async Task WatchLoadAsync(RequestState request, IKvLoad load, int localTokens)
    {
        KvLoadResult result;
        try
        {
            result = await load.Completion;
        }
        catch (Exception error)
        {
            EngineLog.ConnectorFailed(_logger, request.Request.RequestId, error); // against its contract, but no reason to wait for ever
            result = KvLoadResult.Nothing;
        }
        if (!_inbox.TryPost(() => EndLoad(request, result, localTokens))) { result.Dispose(); }
    }

    private void EndLoad(RequestState request, KvLoadResult result, int localTokens)
    {
        request.Load = null;
        request.LoadTime = _time.GetElapsedTime(request.LoadStarted!.Value);
        if (request.Leader.State != SequenceState.WaitingForRemoteKv)
        {
            result.Dispose(); // aborted in the meantime
            return;
        }
        request.Leader.State = SequenceState.Waiting;
        if (_connector!.FindFault(request, result, localTokens) is { } fault)
        {
            _counters.RefusedLoads++;
            EngineLog.LoadRefused(_logger, request.Request.RequestId, fault);
            result.Dispose();
            return;
        }
        request.Loaded = result;
        if (result.Chunks.Count > 0)
        {
            request.Leader.LoadedTokens = (result.Chunks[0].FirstToken, result.Chunks[^1].FirstToken + result.Chunks[^1].TokenCount);
        }
        else
        {
            request.DropLoaded();
        }
    }

    private void Account(StepPlan plan)
    {
        var now = _time.GetTimestamp();
        foreach (var sequence in plan.Preempted) { EngineLog.Preempted(_logger, sequence.RequestId, sequence.Choice); }
        foreach (var (sequence, localTokens, externalTokens, first) in plan.Admitted)
        {
            if (!first) { continue; }
            var choice = _choices[sequence];
            (choice.CachedTokens, choice.ExternalTokens, choice.FirstScheduled) = (localTokens + externalTokens, externalTokens, now);
            if (choice.Sequence.Leader is null) { choice.Request.LeftQueue?.Invoke(); }
            _counters.PromptTokens += sequence.PromptCount;
            _counters.PromptTokensLocalHit += localTokens;
            _counters.PromptTokensExternal += externalTokens;
            _counters.ExternalHits += externalTokens;
            if (!_limits.EnablePrefixCaching) { continue; }
            _counters.PrefixCacheQueries += sequence.PromptCount;
            _counters.PrefixCacheHits += localTokens;
        }
    }

    private void CopyLoadedKv(StepPlan plan)
    {
        foreach (var (sequence, localTokens, externalTokens, _) in plan.Admitted)
        {
            var request = _choices[sequence].Request;
            if (sequence != request.Leader || request.Loaded is not { } loaded) { continue; }
            if (externalTokens > 0) { _connector!.CopyIn(sequence, loaded, localTokens, localTokens + externalTokens); }
            else { EngineLog.LoadUnused(_logger, sequence.RequestId); }
            request.DropLoaded();
        }
    }

    private void RunModel(StepPlan plan)
    {
        _slices.Clear();
        var rows = 0;
        foreach (var (sequence, firstPosition, tokenCount, wantsLogits) in plan.Scheduled)
        {
            _slices.Add(new SequenceSlice(
                sequence.Tokens.Slice(firstPosition, tokenCount), firstPosition, sequence.BlockTable, wantsLogits));
            rows += wantsLogits ? 1 : 0;
        }
        var needed = rows * _runner.VocabularySize;
        if (_logits.Length < needed) { _logits = new float[needed]; }
        _running = plan;
        _runner.Forward(CollectionsMarshal.AsSpan(_slices), _logits.AsSpan(0, needed));
        _counters.StepRan(plan.TokenCount);
    }

    private void SaveComputedKv(StepPlan plan)
    {
        if (_connector is null) { return; }
        foreach (var scheduled in plan.Scheduled)
        {
            if (scheduled.Sequence.Leader is null) { _connector.SaveComputed(_choices[scheduled.Sequence].Request); }
        }
    }

    /// <summary>In the middle of the step whose slices these are.</summary>
    private void SaveLayer(LayerProgress progress)
    {
        var sequence = _running!.Scheduled[progress.SliceIndex].Sequence;
        if (sequence.Leader is null && progress.FirstPosition < sequence.PromptCount) { _connector!.SaveLayer(_choices[sequence].Request, progress); }
    }

    private void SampleAndEmit(StepPlan plan)
    {
        var row = 0;
        foreach (var (sequence, firstPosition, tokenCount, wantsLogits) in plan.Scheduled)
        {
            if (!wantsLogits) { continue; }
            var logits = _logits.AsSpan(row++ * _runner.VocabularySize, _runner.VocabularySize);
            var choice = _choices[sequence];
            var nextPosition = firstPosition + tokenCount;
            if (nextPosition < sequence.PromptCount)
            {
                choice.Request.PromptLogprobs![nextPosition] =
                    LogitMath.Logprobs(logits, choice.Request.Prompt[nextPosition], choice.Request.Sampling.PromptLogprobs!.Value);
            }
            if (nextPosition < sequence.Count) { continue; }
            Continue(choice, choice.Sampler.Sample(logits, _candidates));
        }
    }

    /// <summary>Adds the chosen token to the choice and gives out what became certain, or ends it.</summary>
    private void Continue(Choice choice, SampledToken sampled)
    {
        if (sampled.Error is { } error)
        {
            EngineLog.ChoiceFailed(_logger, choice.Request.Request.RequestId, choice.Sequence.Choice, error);
            Finish(choice, FinishReason.Error, stopReason: null, [], [], choice.Text.Flush(mayStop: false), error);
            return;
        }
        var request = choice.Request;
        choice.FirstToken ??= _time.GetTimestamp();
        choice.Sequence.AppendToken(sampled.TokenId);
        _counters.GenerationTokens++;
        var mayStop = choice.Sampler.OutputCount >= request.Sampling.MinTokens;
        var isEnd = request.EndTokens.Contains(sampled.TokenId);
        var text = isEnd && !request.Sampling.IncludeStopInOutput ? "" : choice.Text.Append(sampled.TokenId, mayStop);
        var isLong = choice.Sampler.OutputCount >= request.MaxTokens || choice.Sequence.Count >= _limits.MaxModelLen;
        if (isEnd || isLong) { text += choice.Text.MatchedStop is null ? choice.Text.Flush(mayStop) : ""; }

        int[] tokens = [sampled.TokenId];
        TokenLogprobs[] logprobs = sampled.Logprobs is null ? [] : [sampled.Logprobs];
        if (choice.Text.MatchedStop is { } stop) { Finish(choice, FinishReason.Stop, stop, tokens, logprobs, text); }
        else if (isEnd) { Finish(choice, FinishReason.Stop, StopTokenReason(request, sampled.TokenId), tokens, logprobs, text); }
        else if (isLong) { Finish(choice, FinishReason.Length, stopReason: null, tokens, logprobs, text); }
        else { request.Emit(new GenerationOutput(choice.Sequence.Choice, tokens, text, logprobs, null, TakePromptLogprobs(choice))); }
    }

    /// <summary>Null for the end-of-text token, the id for a token that the request named.</summary>
    private static int? StopTokenReason(RequestState request, int tokenId) =>
        request.Sampling.StopTokenIds.Contains(tokenId) ? tokenId : null;

    private void Finish(
        Choice choice, FinishReason reason, object? stopReason, int[] tokens, TokenLogprobs[] logprobs, string text, string? error = null)
    {
        var request = choice.Request;
        choice.Finished = reason;
        _counters.Finished[(int)reason]++;
        _scheduler.Finish(choice.Sequence);
        _choices.Remove(choice.Sequence);
        if (choice.Sequence == request.Leader)
        {
            request.Load?.Cancel();
            request.DropLoaded();
        }
        var transfer = request.AllFinished ? EndRequest(request) : null;
        var finish = new FinishInfo(reason, stopReason, choice.CachedTokens, choice.ExternalTokens, transfer, Timings(choice), error);
        request.Emit(new GenerationOutput(choice.Sequence.Choice, tokens, text, logprobs, finish, TakePromptLogprobs(choice)));
        if (request.AllFinished) { request.Close(); }
    }

    private JsonObject? EndRequest(RequestState request)
    {
        if (request.Choices[0].FirstScheduled is null) { request.LeftQueue?.Invoke(); }
        var transfer = _connector?.RequestFinished(request, request.AllCompleted);
        request.Ended?.Invoke();
        return transfer;
    }

    private void FailStep(StepPlan plan, Exception error)
    {
        EngineLog.StepFailed(_logger, plan.Scheduled.Count, error);
        foreach (var scheduled in plan.Scheduled)
        {
            var choice = _choices[scheduled.Sequence];
            Finish(choice, FinishReason.Error, stopReason: null, [], [], choice.Text.Flush(mayStop: false), "The engine could not run this step; its log says why.");
        }
    }

    private static TokenLogprobs?[]? TakePromptLogprobs(Choice choice)
    {
        if (choice.Sequence.Choice != 0) { return null; }
        var logprobs = choice.Request.PromptLogprobs;
        choice.Request.PromptLogprobs = null; // only the first increment carries them
        return logprobs;
    }

    private RequestTimings Timings(Choice choice)
    {
        var now = _time.GetTimestamp();
        var scheduled = choice.FirstScheduled ?? now;
        var firstToken = choice.FirstToken ?? now;
        return new RequestTimings(
            Queued: _time.GetElapsedTime(choice.Request.Submitted, scheduled),
            Load: choice.Request.LoadTime,
            Prefill: _time.GetElapsedTime(scheduled, Math.Max(scheduled, firstToken)),
            Decode: _time.GetElapsedTime(firstToken, now));
    }
}
