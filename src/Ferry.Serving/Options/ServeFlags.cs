using Ferry.Engine;
using Ferry.Kv.Layout;
using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <summary>The flags of <c>ferry serve</c>: vLLM's names, and Ferry's own at the end.</summary>
public static class ServeFlags
{
    private const string NoGpu = "no effect: the engine runs on the CPU";
    private const string NoHub = "no effect: models are local directories, nothing is downloaded";

    /// <summary>Flags that change what the node does.</summary>
    public static IReadOnlyList<Setting<ServeDraft>> Honoured { get; } =
    [
        Flag("--model", "DIR", "", "Model directory (Hugging Face layout); the same as the bare argument.", (d, v) => d.Model = v.Text),
        Many("--served-model-name", "NAME…", "MODEL as given", "Names that clients may ask for; the first stands in answers.", (d, v) => d.ServedModelNames.Add(v.Text)),
        Flag("--host", "ADDRESS", "0.0.0.0", "Address to listen on.", (d, v) => d.Host = v.Text),
        Flag("--port", "N", "8000", "Port to listen on; 0 takes a free one.", (d, v) => d.Port = v.Int(0, 65535, 8000)),
        Many("--api-key", "KEY…", "none", "Keys, each of which opens /v1 (Authorization: Bearer KEY).", (d, v) => d.ApiKeys.Add(v.Text)) with { IsSecret = true },
        Flag("--tensor-parallel-size", "N", "the device's", "Logical ranks that shard the KV heads.", (d, v) => d.TensorParallelSize = v.Int(1, 64, 1)) with { Aliases = ["-tp"] },
        Flag("--max-num-seqs", "N", "16", "Sequences that run at once.", (d, v) => d.MaxNumSeqs = v.Int(1, 65536, 16)),
        Flag("--max-model-len", "N", "the model's", "Tokens of prompt and output together; 8k and 8K are understood.", (d, v) => d.MaxModelLen = v.Int(1, 1 << 24, 1)),
        Flag("--max-num-batched-tokens", "N", "512 or --max-num-seqs; without chunked prefill --max-model-len", "Tokens of one step over all sequences.",
            (d, v) => d.MaxNumBatchedTokens = v.Int(1, 1 << 24, 512)),
        Flag("--gpu-memory-utilization", "SHARE", "none: the pool takes at most 1 GiB", "Share of this machine's memory that weights and KV pool may take together. The pool takes what --max-num-seqs sequences of full length need, and not more than this.",
            (d, v) => d.MemoryFraction = v.Real(0.001, 1, 0.9)),
        Flag("--kv-cache-memory-bytes", "BYTES", "see --gpu-memory-utilization", "Exact size of the KV pool over all ranks.", (d, v) => d.KvMemoryBytes = v.Long(1, long.MaxValue, 1)),
        Flag("--num-gpu-blocks-override", "N", "see --gpu-memory-utilization", "Exact number of KV blocks.", (d, v) => d.BlockCount = v.Int(1, int.MaxValue, 1)),
        Switch("--enable-chunked-prefill", "on", "Long prompts are computed in pieces between decode steps.", (d, v) => d.ChunkedPrefill = v.Bool()),
        Switch("--enable-prefix-caching", "on", "Blocks of earlier prompts are used again.", (d, v) => d.PrefixCaching = v.Bool()),
        Flag("--block-size", "TOKENS", "the device's", "Tokens of one KV block.", (d, v) => d.BlockTokens = v.Int(1, 1024, 16)),
        Flag("--kv-cache-dtype", "TYPE", "auto", "Element type of the KV pool: auto (bfloat16), bfloat16, float16, float32.", ApplyKvDType),
        Flag("--dtype", "TYPE", "auto", "Weights stay as the checkpoint stores them and are computed in float32: auto and bfloat16 are that; other types warn.", ApplyDType),
        Flag("--kv-events-config", "JSON", "none", "Publishes what chunks this node's exchange has in memory, as vLLM does (ZMQ, its keys and defaults), for routers that choose nodes by prefix. They see the tokens of prompts.", KvEventsSettings.Apply),
        Flag("--kv-transfer-config", "JSON", "none", "KV exchange between nodes; see the table of its keys. Also dotted: --kv-transfer-config.kv_role kv_producer.", KvTransferSettings.ApplyJson),
        Flag("--kv-load", "cheaper|always", "cheaper", "Chunks found on disk or in the shared tier are loaded as far as that is faster than computing them, by measured rates; or always. What a peer lends is always loaded.",
            (d, v) => d.LoadsAlways = v.OneOf("cheaper", "always") == "always"),
        Flag("--seed", "N", "0", "Where requests without a seed draw theirs from.", (d, v) => d.Seed = v.Long(long.MinValue, long.MaxValue)),
        Flag("--chat-template", "FILE", "the model's", "Chat template that replaces the model's own.", (d, v) => d.ChatTemplatePath = v.Text),
        Flag("--generation-config", "auto|vllm", "auto", "auto: sampling defaults of generation_config.json; vllm: neutral ones.",
            (d, v) => d.UseGenerationConfig = v.OneOf("auto", "vllm") == "auto"),
        Flag("--max-logprobs", "N", "20", "Most alternatives that a request may ask for.", (d, v) => d.Api = d.Api with { MaxLogprobs = v.Int(0, 100, 20) }),
        Flag("--response-role", "NAME", "assistant", "Role of the answer in chat.", (d, v) => d.Api = d.Api with { ResponseRole = v.Text }),
        Switch("--enable-force-include-usage", "off", "Usage at the end of every stream.", (d, v) => d.Api = d.Api with { ForceIncludeUsage = v.Bool() }),
        Flag("--device", "mi300x|gaudi3|cpu", "cpu", "KV shape to emulate: mi300x is block 16, HND, K and V interleaved, TP 4; gaudi3 is block 128, NHD, K and V apart, TP 2.", ApplyDevice),
        Flag("--threads", "N", "0 (all cores)", "Compute threads.", (d, v) => d.Threads = v.Int(0, 1024)),
        Flag("--max-waiting-requests", "N", "1024", "Requests that may wait; one more is answered 429.", (d, v) => d.MaxWaiting = v.Int(1, 1 << 20, 1024)),
        Flag("--max-body-bytes", "BYTES", "33554432", "Longest request body; a longer one is answered 413.", (d, v) => d.Api = d.Api with { MaxBodyBytes = v.Long(1024, 1L << 30, 32 << 20) }),
        Flag("--write-deadline", "SECONDS", "30", "A client that takes no byte of its stream for this long is aborted.",
            (d, v) => d.Api = d.Api with { WriteDeadline = TimeSpan.FromSeconds(v.Real(0.1, 86_400, 30)) }),
    ];

    /// <summary>vLLM flags that are accepted and answered by a warning.</summary>
    public static IReadOnlyList<Setting<ServeDraft>> Explained { get; } =
    [
        Idle("--trust-remote-code", "", "no effect: Ferry never runs code from a model directory. It is not needed for Llama models and would be a risk with vLLM"),
        Idle("--enforce-eager", "", NoGpu + ", there are no graphs to capture"),
        Idle("--attention-backend", "NAME", "no effect: --device chooses the KV shape"),
        Idle("--swap-space", "GIB", NoGpu + "; pre-empted requests are recomputed"),
        Idle("--cpu-offload-gb", "GIB", NoGpu),
        Idle("--distributed-executor-backend", "NAME", "no effect: the ranks are logical and live in one process"),
        Idle("--disable-custom-all-reduce", "", NoGpu),
        Idle("--load-format", "FORMAT", "no effect: safetensors are mapped from disk"),
        Idle("--download-dir", "DIR", NoHub),
        Idle("--revision", "NAME", NoHub),
        Idle("--hf-token", "TOKEN", NoHub) with { IsSecret = true },
        Idle("--tokenizer-mode", "MODE", "no effect: tokenizer.json of the model directory is read"),
        Idle("--compilation-config", "JSON", NoGpu),
        Idle("--optimization-level", "N", NoGpu),
        Idle("--prefix-caching-hash-algo", "NAME", "no effect: the engine's own prefix cache needs no shared hash; chunks that leave the node are hashed as LMCACHE_PRE_CACHING_HASH_ALGORITHM says"),
        Idle("--scheduling-policy", "fcfs", "no effect: requests run first come, first served"),
        Idle("--async-scheduling", "", NoGpu),
        Idle("--enable-prompt-tokens-details", "", "no effect: usage always has prompt_tokens_details"),
        Idle("--enable-request-id-headers", "", "no effect: X-Request-Id is always in the answer"),
        Idle("--enable-log-requests", "", "no effect: one line a request stands in the log at level Information"),
        Idle("--disable-log-requests", "", "no effect: raise the log level instead"),
        Idle("--disable-log-stats", "", "no effect: there is no periodic log; figures stand in /metrics"),
        Idle("--disable-uvicorn-access-log", "", "no effect: the server is Kestrel"),
        Idle("--uvicorn-log-level", "LEVEL", "no effect: the server is Kestrel"),
        Idle("--disable-frontend-multiprocessing", "", "no effect: the API and the engine share one process"),
        Idle("--api-server-count", "N", "no effect: the API and the engine share one process"),
    ];

    /// <summary>vLLM flags that would change answers, security or topology, and that Ferry does not have.</summary>
    public static IReadOnlyList<Setting<ServeDraft>> Refused { get; } =
    [
        Refuse("--pipeline-parallel-size", "N", "Ferry has no pipeline parallelism. Remove it; use --tensor-parallel-size for KV shards.") with { Aliases = ["-pp"] },
        Refuse("--data-parallel-size", "N", "Ferry has no data parallelism in one process. Start several nodes behind 'ferry route'.") with { Aliases = ["-dp"] },
        Refuse("--quantization", "NAME", "Ferry does not quantise weights. Remove it, or give a checkpoint in bf16, fp16 or fp32.") with { Aliases = ["-q"] },
        Refuse("--speculative-config", "JSON", "Ferry has no speculative decoding. Remove it."),
        Refuse("--enable-lora", "", "Ferry serves no LoRA adapters. Remove it, or merge the adapter into the weights."),
        Refuse("--enable-auto-tool-choice", "", "Ferry does not parse tool calls. Remove it."),
        Refuse("--tool-call-parser", "NAME", "Ferry does not parse tool calls. Remove it."),
        Refuse("--reasoning-parser", "NAME", "Ferry does not split reasoning from content. Remove it."),
        Refuse("--tokenizer", "DIR", "the tokenizer is the one of the model directory. Put tokenizer.json there."),
        Refuse("--runner", "NAME", "Ferry generates text only. Remove it."),
        Refuse("--task", "NAME", "Ferry generates text only. Remove it."),
        Refuse("--ssl-keyfile", "FILE", "Ferry serves plain HTTP here; end TLS in front of it, and remove this flag so that nobody believes the port is encrypted."),
        Refuse("--ssl-certfile", "FILE", "Ferry serves plain HTTP here; end TLS in front of it, and remove this flag so that nobody believes the port is encrypted."),
        Refuse("--allowed-origins", "JSON", "cross-origin requests are off. Put a proxy in front, and remove this flag."),
        Refuse("--root-path", "PATH", "Ferry serves at the root. Let the proxy strip the prefix."),
        Refuse("--config", "FILE", "Ferry reads no vLLM configuration file. Give the settings as flags."),
        Refuse("--kv-offloading-size", "GIB", "use LMCACHE_LOCAL_CPU and LMCACHE_MAX_LOCAL_CPU_SIZE together with --kv-transfer-config."),
    ];

    public static IReadOnlyList<Setting<ServeDraft>> All { get; } = [.. Honoured, .. Explained, .. Refused];

    private static Setting<ServeDraft> Flag(string name, string value, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(name, value, @default, text, apply);

    private static Setting<ServeDraft> Many(string name, string value, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(name, value, @default, text, apply) { TakesMany = true };

    private static Setting<ServeDraft> Switch(string name, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(name, "", @default, text, apply);

    private static Setting<ServeDraft> Idle(string name, string value, string text) => new(name, value, "", text + ".", null);

    private static Setting<ServeDraft> Refuse(string name, string value, string text) => new(name, value, "", text, null) { IsRefused = true };

    private static void ApplyDevice(ServeDraft draft, SettingValue value)
    {
        var name = value.OneOf([.. DeviceProfile.All.Select(profile => profile.Name)]);
        draft.Device = DeviceProfile.All.First(profile => profile.Name == name);
    }

    private static void ApplyKvDType(ServeDraft draft, SettingValue value)
    {
        if (value.Text.StartsWith("fp8", StringComparison.OrdinalIgnoreCase))
        {
            value.Error($"--kv-cache-dtype {value.Text}: this engine's pool holds bfloat16, float16 or float32. " +
                "Use bfloat16; fp8 is a matter of conversion between nodes.");
            return;
        }
        draft.KvDType = value.OneOf("auto", "bfloat16", "float16", "float32") switch
        {
            "float16" => KvDType.Float16,
            "float32" => KvDType.Float32,
            _ => KvDType.BFloat16,
        };
    }

    private static void ApplyDType(ServeDraft draft, SettingValue value)
    {
        if (value.OneOf("auto", "bfloat16", "half", "float16", "float", "float32") is "auto" or "bfloat16")
        {
            return;
        }
        value.Warn("no effect: weights stay as the checkpoint stores them and are computed in float32. For the KV pool use --kv-cache-dtype.");
    }
}
