using System.Globalization;
using Ferry.Engine.Generation;
using Ferry.Kv.Metrics;

namespace Ferry.Serving.Metrics;

/// <summary>The engine's own counters under vLLM's names, copied when somebody asks.</summary>
internal sealed class EngineMetrics
{
    private readonly ILlmEngine _engine;
    private readonly MetricSeries _stepTokens;
    private readonly List<(MetricSeries Series, Func<EngineStats, double> Read)> _copies = [];

    public EngineMetrics(MetricRegistry registry, ILlmEngine engine)
    {
        _engine = engine;
        Gauge(registry, "num_requests_running", "Sequences in the running batch.", stats => stats.Running);
        Gauge(registry, "num_requests_waiting", "Sequences that wait.", stats => stats.Waiting);
        var waiting = registry.Gauge("vllm:num_requests_waiting_by_reason", "Sequences that wait: for a place (capacity) or for KV from outside (deferred).", "reason");
        _copies.Add((waiting.With("capacity"), stats => stats.Waiting - stats.WaitingForRemoteKv));
        _copies.Add((waiting.With("deferred"), stats => stats.WaitingForRemoteKv));
        Gauge(registry, "kv_cache_usage_perc", "Share of KV blocks in use, 0..1.", stats => stats.KvUsage);
        Counter(registry, "prefix_cache_queries_total", "Prompt tokens looked up in the own prefix cache.", stats => stats.PrefixCacheQueries);
        Counter(registry, "prefix_cache_hits_total", "Prompt tokens found in the own prefix cache.", stats => stats.PrefixCacheHits);
        Counter(registry, "external_prefix_cache_queries_total", "Prompt tokens asked from the exchange.", stats => stats.ExternalPrefixCacheQueries);
        Counter(registry, "external_prefix_cache_hits_total", "Prompt tokens that came from the exchange.", stats => stats.ExternalPrefixCacheHits);
        Counter(registry, "num_preemptions_total", "Sequences that gave their blocks up.", stats => stats.Preemptions);
        Counter(registry, "prompt_tokens_total", "Prompt tokens, wherever their KV came from.", stats => stats.PromptTokens);
        var sources = registry.Counter("vllm:prompt_tokens_by_source_total", "Prompt tokens by where their KV came from.", "source");
        _copies.Add((sources.With("local_compute"), stats => stats.PromptTokensComputed));
        _copies.Add((sources.With("local_cache_hit"), stats => stats.PromptTokensLocalHit));
        _copies.Add((sources.With("external_kv_transfer"), stats => stats.PromptTokensExternal));
        Counter(registry, "prompt_tokens_cached_total", "Prompt tokens that were not computed.", stats => stats.PromptTokensLocalHit + stats.PromptTokensExternal);
        Counter(registry, "generation_tokens_total", "Generated tokens.", stats => stats.GenerationTokens);
        var finished = registry.Counter("vllm:request_success_total", "Choices that ended, by reason.", "finished_reason");
        _copies.Add((finished.With("stop"), stats => stats.FinishedStop));
        _copies.Add((finished.With("length"), stats => stats.FinishedLength));
        _copies.Add((finished.With("abort"), stats => stats.FinishedAbort));
        _copies.Add((finished.With("error"), stats => stats.FinishedError));
        Add(registry.Counter("ferry_engine_steps_total", "Steps that ran the model."), stats => stats.Steps);
        Add(registry.Counter("ferry_kv_refused_loads_total", "Loads of wrong size or with a gap, which the engine refused."), stats => stats.RefusedLoads);
        _stepTokens = registry.Histogram("vllm:iteration_tokens_total", "Tokens of one step over all sequences.", MetricBuckets.StepTokens).With();
        CacheConfig(registry, engine.Info);
        registry.OnCollect(Copy);
    }

    private static void CacheConfig(MetricRegistry registry, EngineInfo info) =>
        registry.Gauge("vllm:cache_config_info", "Shape of the KV cache; always 1.", "block_size", "num_gpu_blocks", "cache_dtype", "enable_prefix_caching", "tensor_parallel_size", "device")
            .With(Text(info.BlockTokens), Text(info.BlockCount), info.KvDType.ToString(), info.EnablePrefixCaching ? "True" : "False", Text(info.TensorParallelSize), info.Device.Name)
            .Set(1);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Gauge(MetricRegistry registry, string name, string help, Func<EngineStats, double> read) => Add(registry.Gauge("vllm:" + name, help), read);

    private void Counter(MetricRegistry registry, string name, string help, Func<EngineStats, double> read) => Add(registry.Counter("vllm:" + name, help), read);

    private void Add(MetricFamily family, Func<EngineStats, double> read) => _copies.Add((family.With(), read));

    private void Copy()
    {
        var stats = _engine.Snapshot();
        foreach (var (series, read) in _copies)
        {
            series.Set(read(stats));
        }
        _stepTokens.Set(stats.StepsByTokens, stats.StepTokens);
    }
}
