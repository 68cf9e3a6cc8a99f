using Ferry.Cache;
using Ferry.Cache.Metrics;
using Ferry.Engine.Generation;
using Ferry.Kv.Metrics;
using Ferry.Serving.Api.Generation;

namespace Ferry.Serving.Metrics;

/// <summary>vLLM's metrics by vLLM's names and buckets, and Ferry's proof of what moved.</summary>
internal sealed class ServingMetrics
{
    private readonly MetricSeries _timeToFirstToken;
    private readonly MetricSeries _interToken;
    private readonly MetricSeries _timePerOutputToken;
    private readonly MetricSeries _endToEnd;
    private readonly MetricSeries _queue;
    private readonly MetricSeries _load;
    private readonly MetricSeries _prefill;
    private readonly MetricSeries _decode;
    private readonly MetricSeries _inference;
    private readonly MetricSeries _promptTokens;
    private readonly MetricSeries _generationTokens;
    private readonly MetricSeries _computedTokens;
    private readonly MetricSeries _choices;
    private readonly MetricSeries _maxTokens;
    private readonly MetricFamily _handoversMissed;
    private readonly MetricSeries _handoversExpected;

    /// <param name="cache">The exchange's cache; null when the node exchanges no KV.</param>
    public ServingMetrics(ILlmEngine engine, IKvReports? reports, RecordCache? cache, string modelName)
    {
        Registry = new MetricRegistry(("model_name", modelName), ("engine", "0"));
        _ = new EngineMetrics(Registry, engine);
        _timeToFirstToken = Seconds("time_to_first_token_seconds", "From arrival to the first token.", MetricBuckets.TimeToFirstToken);
        _interToken = Seconds("inter_token_latency_seconds", "Between two tokens of one choice.", MetricBuckets.InterToken);
        _timePerOutputToken = Seconds("request_time_per_output_token_seconds", "Decode time of a request by its tokens after the first.", MetricBuckets.InterToken);
        _endToEnd = Seconds("e2e_request_latency_seconds", "From arrival to the last token.", MetricBuckets.Request);
        _queue = Seconds("request_queue_time_seconds", "Waiting to be scheduled.", MetricBuckets.Request);
        _inference = Seconds("request_inference_time_seconds", "From first scheduled to the last token.", MetricBuckets.Request);
        _prefill = Seconds("request_prefill_time_seconds", "From first scheduled to the first token.", MetricBuckets.Request);
        _decode = Seconds("request_decode_time_seconds", "From the first token to the last.", MetricBuckets.Request);
        var lengths = MetricBuckets.OneTwoFive(engine.Info.MaxModelLen);
        _promptTokens = Lengths("request_prompt_tokens", "Prompt tokens of a request.", lengths);
        _generationTokens = Lengths("request_generation_tokens", "Generated tokens of a choice.", lengths);
        _computedTokens = Lengths("request_prefill_kv_computed_tokens", "Prompt tokens that were computed, not found.", lengths);
        _maxTokens = Lengths("request_params_max_tokens", "max_tokens of a request.", lengths);
        _choices = Lengths("request_params_n", "n of a request.", [1, 2, 5, 10, 20]);
        _load = Registry.Histogram("ferry_kv_load_wait_seconds", "Waiting for KV from outside, by request.", MetricBuckets.TimeToFirstToken).With();
        _handoversExpected = Registry.Counter("ferry_kv_handover_expected_total", "Requests that came with KV to fetch.").With();
        _handoversMissed = Registry.Counter("ferry_kv_handover_missed_total", "Requests that should have moved KV and did not; anything above 0 deserves a look.", "reason");
        if (reports is not null)
        {
            _ = new ExchangeMetrics(Registry, reports);
        }
        if (cache is not null)
        {
            _ = new CacheMetrics(Registry, cache);
        }
    }

    public MetricRegistry Registry { get; }

    public void RequestStarted(GenerationPlan plan)
    {
        _choices.Observe(plan.ChoicesPerPrompt);
        foreach (var sampling in plan.Sampling)
        {
            _maxTokens.Observe(sampling.MaxTokens ?? 0);
        }
        if (plan.ExpectsHandover)
        {
            _handoversExpected.Add();
        }
    }

    public void FirstToken(TimeSpan sinceArrival) => _timeToFirstToken.Observe(sinceArrival.TotalSeconds);

    public void InterToken(TimeSpan gap) => _interToken.Observe(gap.TotalSeconds);

    public void ChoiceFinished(FinishInfo finish, int promptTokens, int generatedTokens, TimeSpan elapsed)
    {
        var timings = finish.Timings;
        _endToEnd.Observe(elapsed.TotalSeconds);
        _queue.Observe(timings.Queued.TotalSeconds);
        _load.Observe(timings.Load.TotalSeconds);
        _prefill.Observe(timings.Prefill.TotalSeconds);
        _decode.Observe(timings.Decode.TotalSeconds);
        _inference.Observe((timings.Prefill + timings.Decode).TotalSeconds);
        _promptTokens.Observe(promptTokens);
        _generationTokens.Observe(generatedTokens);
        _computedTokens.Observe(Math.Max(0, promptTokens - finish.CachedTokens));
        if (generatedTokens > 1)
        {
            _timePerOutputToken.Observe(timings.Decode.TotalSeconds / (generatedTokens - 1));
        }
    }

    public void HandoverMissed(string reason) => _handoversMissed.With(reason).Add();

    private MetricSeries Seconds(string name, string help, IReadOnlyList<double> bounds) => Registry.Histogram("vllm:" + name, help, bounds).With();

    private MetricSeries Lengths(string name, string help, IReadOnlyList<double> bounds) => Registry.Histogram("vllm:" + name, help, bounds).With();
}
