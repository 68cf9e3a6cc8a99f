namespace Ferry.Cluster.Lint.Vllm;

/// <summary>Flags of <c>vllm serve</c>.</summary>
/// <remarks>
/// From the help of 0.22 (<c>vllm serve --help=all</c>), vllm/engine/arg_utils.py of 0.11 and vllm/entrypoints/openai/cli_args.py of 0.28.
/// A flag that is new behind 0.22 may be missing: only one that is near a known one is called misspelt.
/// </remarks>
internal static class VllmFlags
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        // The server.
        "--model", "--host", "--port", "--uds", "--api-key", "--config", "--uvicorn-log-level", "--disable-uvicorn-access-log", "--disable-access-log-for-endpoints",
        "--allow-credentials", "--allowed-origins", "--allowed-methods", "--allowed-headers", "--lora-modules", "--chat-template", "--chat-template-content-format",
        "--trust-request-chat-template", "--default-chat-template-kwargs", "--response-role", "--ssl-keyfile", "--ssl-certfile", "--ssl-ca-certs", "--ssl-cert-reqs",
        "--ssl-ciphers", "--enable-ssl-refresh", "--root-path", "--middleware", "--return-tokens-as-token-ids", "--disable-frontend-multiprocessing", "--enable-request-id-headers",
        "--enable-auto-tool-choice", "--exclude-tools-when-tool-choice-none", "--tool-call-parser", "--tool-parser-plugin", "--tool-server", "--log-config-file", "--max-log-len",
        "--disable-fastapi-docs", "--enable-offline-docs", "--enable-prompt-tokens-details", "--enable-per-request-metrics", "--enable-server-load-tracking",
        "--enable-force-include-usage", "--enable-tokenizer-info-endpoint", "--enable-log-outputs", "--enable-log-deltas", "--enable-log-requests", "--log-error-stack",
        "--disable-log-stats", "--h11-max-incomplete-event-size", "--h11-max-header-count", "--headless", "--api-server-count", "-asc", "--tokens-only", "--grpc",
        "--fingerprint-mode", "--fingerprint-value", "--enable-flash-late-interaction", "--cohere-is-reasoning-model", "--cohere-format", "--data-parallel-supervisor-port",
        "--dp-supervisor-probe-interval-s", "--dp-supervisor-probe-timeout-s", "--dp-supervisor-probe-failure-threshold", "--help", "--version",
        // The model.
        "--tokenizer", "--tokenizer-mode", "--trust-remote-code", "--dtype", "--seed", "--hf-config-path", "--allowed-local-media-path", "--allowed-media-domains", "--revision",
        "--code-revision", "--tokenizer-revision", "--max-model-len", "--quantization", "-q", "--quantization-config", "--allow-deprecated-quantization", "--enforce-eager",
        "--max-logprobs", "--logprobs-mode", "--disable-sliding-window", "--disable-cascade-attn", "--skip-tokenizer-init", "--enable-prompt-embeds", "--served-model-name",
        "--config-format", "--hf-token", "--hf-overrides", "--pooler-config", "--generation-config", "--override-generation-config", "--enable-sleep-mode",
        "--enable-cumem-allocator", "--model-impl", "--override-attention-dtype", "--logits-processors", "--io-processor-plugin", "--runner", "--convert", "--renderer-num-workers",
        "--enable-return-routed-experts", "--use-fp64-gumbel", "--attention-backend", "--attention-config", "-ac", "--mamba-backend", "--mamba-cache-philox-rounds",
        "--enable-mamba-cache-stochastic-rounding", "--gdn-prefill-backend",
        // Loading.
        "--load-format", "--download-dir", "--safetensors-load-strategy", "--safetensors-prefetch-block-size", "--safetensors-prefetch-num-threads", "--model-loader-extra-config",
        "--ignore-patterns", "--use-tqdm-on-load", "--pt-load-map-location",
        // Structured output, reasoning.
        "--reasoning-parser", "--reasoning-parser-plugin", "--reasoning-config", "--structured-outputs-config",
        // Parallelism.
        "--distributed-executor-backend", "--pipeline-parallel-size", "-pp", "--tensor-parallel-size", "-tp", "--decode-context-parallel-size", "-dcp",
        "--prefill-context-parallel-size", "-pcp", "--data-parallel-size", "-dp", "--data-parallel-rank", "-dpn", "--data-parallel-start-rank", "-dpr",
        "--data-parallel-size-local", "-dpl", "--data-parallel-address", "-dpa", "--data-parallel-rpc-port", "-dpp", "--data-parallel-backend", "-dpb", "--data-parallel-hybrid-lb",
        "-dph", "--data-parallel-external-lb", "-dpe", "--data-parallel-multi-port-external-lb", "-dpm", "--enable-expert-parallel", "-ep", "--all2all-backend", "--enable-dbo",
        "--ubatch-size", "--dbo-decode-token-threshold", "--dbo-prefill-token-threshold", "--enable-eplb", "--eplb-config", "--enable-elastic-ep", "--enable-ep-weight-filter",
        "--expert-placement-strategy", "--max-parallel-loading-workers", "--ray-workers-use-nsight", "--disable-custom-all-reduce", "--worker-cls", "--worker-extension-cls",
        "--nnodes", "-n", "--node-rank", "-r", "--master-addr", "--master-port", "--dcp-comm-backend", "--cp-kv-cache-interleave-size", "--dcp-kv-cache-interleave-size",
        "--disable-nccl-for-dp-synchronization", "--distributed-timeout-seconds", "--cpu-distributed-timeout-seconds", "--numa-bind", "--numa-bind-cpus", "--numa-bind-nodes",
        // The cache.
        "--block-size", "--gpu-memory-utilization", "--kv-cache-dtype", "--kv-cache-dtype-skip-layers", "--num-gpu-blocks-override", "--enable-prefix-caching",
        "--prefix-caching-hash-algo", "--calculate-kv-scales", "--kv-cache-memory-bytes", "--kv-sharing-fast-prefill", "--mamba-cache-dtype", "--mamba-ssm-cache-dtype",
        "--mamba-block-size", "--mamba-cache-mode", "--kv-offloading-size", "--kv-offloading-backend", "--cpu-offload-gb", "--cpu-offload-params", "--offload-backend",
        "--offload-group-size", "--offload-num-in-group", "--offload-params", "--offload-prefetch-step",
        // Multimodal.
        "--limit-mm-per-prompt", "--language-model-only", "--media-io-kwargs", "--mm-processor-kwargs", "--mm-processor-cache-gb", "--mm-processor-cache-type",
        "--mm-shm-cache-max-object-size-mb", "--mm-tensor-ipc", "--mm-encoder-only", "--mm-encoder-tp-mode", "--mm-encoder-attn-backend", "--mm-encoder-attn-dtype",
        "--mm-encoder-fp8-scale-path", "--mm-encoder-fp8-scale-save-path", "--mm-encoder-fp8-scale-save-margin", "--interleave-mm-strings", "--skip-mm-profiling",
        "--video-pruning-rate", "--enable-mm-embeds",
        // LoRA.
        "--enable-lora", "--max-loras", "--max-lora-rank", "--lora-dtype", "--lora-target-modules", "--max-cpu-loras", "--fully-sharded-loras", "--default-mm-loras",
        "--enable-mixed-moe-lora-format", "--enable-tower-connector-lora", "--specialize-active-lora",
        // Observability.
        "--show-hidden-metrics-for-version", "--otlp-traces-endpoint", "--collect-detailed-traces", "--kv-cache-metrics", "--kv-cache-metrics-sample", "--cudagraph-metrics",
        "--enable-layerwise-nvtx-tracing", "--enable-mfu-metrics", "--enable-logging-iteration-details", "--aggregate-engine-logging",
        // The scheduler.
        "--max-num-batched-tokens", "--max-num-seqs", "--max-num-partial-prefills", "--max-long-partial-prefills", "--long-prefill-token-threshold", "--scheduling-policy",
        "--enable-chunked-prefill", "--disable-chunked-mm-input", "--scheduler-cls", "--scheduler-reserve-full-isl", "--disable-hybrid-kv-cache-manager", "--async-scheduling",
        "--stream-interval",
        // The rest.
        "--speculative-config", "-sc", "--spec-method", "--spec-model", "--spec-tokens", "--kv-transfer-config", "--kv-events-config", "--ec-transfer-config",
        "--compilation-config", "-O", "-cc", "--additional-config", "--cudagraph-capture-sizes", "--max-cudagraph-capture-size", "--optimization-level", "--profiler-config",
        "--weight-transfer-config", "--kernel-config", "--moe-backend", "--linear-backend", "--ir-op-priority", "--enable-flashinfer-autotune", "--shutdown-timeout",
        "--performance-mode", "--fail-on-environ-validation",
    };

    /// <summary>Flags that vLLM had before 0.11 and has no more, and what became of them.</summary>
    public static IReadOnlyDictionary<string, string> Removed { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["--device"] = "was removed: vLLM finds the platform by itself",
        ["--use-v2-block-manager"] = "went with the V0 engine",
        ["--num-scheduler-steps"] = "went with the V0 engine",
        ["--multi-step-stream-outputs"] = "went with the V0 engine",
        ["--preemption-mode"] = "went with the V0 engine",
        ["--scheduler-delay-factor"] = "went with the V0 engine",
        ["--disable-async-output-proc"] = "went with the V0 engine",
        ["--worker-use-ray"] = "was removed: use --distributed-executor-backend ray",
        ["--max-context-len-to-capture"] = "was removed: graphs are sized by --compilation-config",
        ["--speculative-model"] = "was removed: use --speculative-config",
        ["--num-speculative-tokens"] = "was removed: use --speculative-config",
    };

    /// <summary>The version whose help no longer has <see cref="RemovedLater"/>.</summary>
    public static VllmVersion LaterVersion { get; } = new(0, 22);

    /// <summary>Flags of 0.11 that <see cref="LaterVersion"/> refuses, and what became of them.</summary>
    public static IReadOnlyDictionary<string, string> RemovedLater { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["--task"] = "was removed: use --runner and --convert",
        ["--rope-scaling"] = "was removed: use --hf-overrides",
        ["--rope-theta"] = "was removed: use --hf-overrides",
        ["--max-seq-len-to-capture"] = "was removed: use --max-cudagraph-capture-size",
        ["--override-pooler-config"] = "was removed: use --pooler-config",
        ["--logits-processor-pattern"] = "was removed",
        ["--guided-decoding-backend"] = "was removed: use --structured-outputs-config",
        ["--guided-decoding-disable-fallback"] = "was removed: use --structured-outputs-config",
        ["--guided-decoding-disable-any-whitespace"] = "was removed: use --structured-outputs-config",
        ["--guided-decoding-disable-additional-properties"] = "was removed: use --structured-outputs-config",
        ["--num-redundant-experts"] = "was removed: use --eplb-config",
        ["--eplb-window-size"] = "was removed: use --eplb-config",
        ["--eplb-step-interval"] = "was removed: use --eplb-config",
        ["--eplb-log-balancedness"] = "was removed: use --eplb-config",
        ["--enable-multimodal-encoder-data-parallel"] = "was removed: use --mm-encoder-tp-mode data",
        ["--disable-mm-preprocessor-cache"] = "was removed: use --mm-processor-cache-gb 0",
        ["--lora-extra-vocab-size"] = "was removed",
        ["--cuda-graph-sizes"] = "was removed: use --cudagraph-capture-sizes",
        ["--num-lookahead-slots"] = "was removed: it went with the V0 engine",
        ["--swap-space"] = "was removed: pre-empted requests are recomputed",
    };

    /// <summary>The flag that a misspelt one means; null when it is known or near none.</summary>
    /// <param name="key">As vLLM compares it (see <see cref="Observed.ProcessArguments.Normalize"/>).</param>
    public static string? Meant(string key)
    {
        var name = key.Split('.')[0].TrimEnd('+');
        if (name.Length < 5 || Known.Contains(name) || Removed.ContainsKey(name) || RemovedLater.ContainsKey(name)) { return null; }
        // Every switch has a negative.
        if (name.StartsWith("--no-", StringComparison.Ordinal))
        {
            var positive = "--" + name["--no-".Length..];
            return Known.Contains(positive) || RemovedLater.ContainsKey(positive) ? null : Typo.Find(positive, Known, MaxLetters) is { } meant ? "--no-" + meant[2..] : null;
        }
        return Typo.Find(name, Known, MaxLetters);
    }

    private const int MaxLetters = 3;
}
