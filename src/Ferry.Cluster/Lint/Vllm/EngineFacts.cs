using System.Globalization;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Lint.Vllm;

/// <summary>What vLLM would make of an engine's command line and environment; null where the files do not say.</summary>
internal static class EngineFacts
{
    /// <summary>The buffer device, as written or (when not written) the platform's own.</summary>
    public static string? BufferDevice(this ObservedProcess engine) => engine.KvTransfer?.Nixl is not { } nixl ? null
        : nixl.Find("kv_buffer_device") is { } written ? written.TryString()
        : engine.Accelerator.Kind switch
        {
            AcceleratorKind.Rocm or AcceleratorKind.Cuda => "cuda",
            AcceleratorKind.Gaudi => "hpu",
            AcceleratorKind.Cpu => "cpu",
            _ => null,
        };

    public static bool UsesNixl(this ObservedProcess engine) => engine.KvTransfer?.Nixl is not null;

    public static bool HasHostBuffer(this ObservedProcess engine) => engine.BufferDevice() == "cpu" && engine.Accelerator.Kind != AcceleratorKind.Cpu;

    public static bool HasDeviceBuffer(this ObservedProcess engine) => engine.BufferDevice() is "cuda" or "hpu" or "xpu";

    /// <summary>Where to point when the buffer device is meant: its value, else the flag.</summary>
    public static SourceSpan BufferSpan(this ObservedProcess engine) =>
        engine.KvTransfer?.Nixl?.Find("kv_buffer_device")?.Span ?? engine.TransferSpan();

    /// <summary>The connector's name, else the flag, else the process.</summary>
    public static SourceSpan TransferSpan(this ObservedProcess engine) =>
        engine.KvTransfer?.Connector?.Span ?? engine.KvTransfer?.Flag.Span ?? engine.HeadSpan;

    /// <summary>A key of NIXL's extra configuration.</summary>
    public static DataNode? NixlExtra(this ObservedProcess engine, string key) => engine.KvTransfer?.Nixl?.Find("kv_connector_extra_config", key);

    /// <summary>False or a string that says so: <c>enforce_handshake_compat</c> is switched off.</summary>
    public static bool IsHandshakeCheckOff(this ObservedProcess engine) => engine.NixlExtra("enforce_handshake_compat")?.IsFalse == true;

    public static SourcedText? BlockSizeFlag(this ObservedProcess engine) => engine.Arguments.Value("--block-size");

    /// <summary>Tokens of a block: as given, else Gaudi's 128; on ROCm and CUDA without a flag the backend decides (16, or 64), so null.</summary>
    public static int? BlockTokens(this ObservedProcess engine) => engine.BlockSizeFlag() is { } flag ? (int?)flag.TryLong()
        : engine.Accelerator.Kind == AcceleratorKind.Gaudi ? 128 : null;

    /// <summary>The attention backend that is asked for, upper case, or null.</summary>
    public static SourcedText? AttentionBackend(this ObservedProcess engine) =>
        engine.Arguments.Value("--attention-backend") ?? engine.Environment.Value("VLLM_ATTENTION_BACKEND");

    public static SourcedText? KvCacheDType(this ObservedProcess engine) => engine.Arguments.Value("--kv-cache-dtype");

    /// <summary>fp8 in any of its names.</summary>
    public static bool HasFp8Kv(this ObservedProcess engine) => engine.KvCacheDType()?.Value.StartsWith("fp8", StringComparison.Ordinal) == true;

    public static SourcedText? DType(this ObservedProcess engine) => engine.Arguments.Value("--dtype");

    /// <summary>Sequences that may run at once: as given, else vLLM's default of an API server, 256.</summary>
    public static long? MaxSequences(this ObservedProcess engine) => engine.Arguments.Flag("--max-num-seqs") is { } flag ? flag.Value?.TryLong() : 256;

    /// <summary>Tokens of the longest sequence as given (<c>8192</c>, <c>8k</c>, <c>8K</c>, <c>25.6k</c>), or null: not given, <c>auto</c>.</summary>
    public static long? MaxModelLength(this ObservedProcess engine)
    {
        if (engine.Arguments.Value("--max-model-len") is not { HasUnknown: false } value || value.Value.Length == 0) { return null; }
        // vLLM's human-readable numbers: k is 1000, K is 1024; a point goes with the small letters (vllm/engine/arg_utils.py, human_readable_int).
        var scale = value.Value[^1] switch { 'k' => 1000, 'K' => 1024, 'm' => 1_000_000, 'M' => 1 << 20, 'g' => 1_000_000_000, 'G' => 1 << 30, _ => 1 };
        var digits = scale == 1 ? value.Value : value.Value[..^1];
        var style = scale > 1 && char.IsAsciiLetterLower(value.Value[^1]) ? NumberStyles.AllowDecimalPoint : NumberStyles.None;
        return decimal.TryParse(digits, style, CultureInfo.InvariantCulture, out var number) && number < 1L << 32 ? (long)(number * scale) : null;
    }

    /// <summary>The model's shape where its id is a known one.</summary>
    public static ModelShape? Shape(this ObservedProcess engine) => engine.Model is { HasUnknown: false } model ? KnownModels.TryFind(model.Value) : null;

    /// <summary>What is known of the accelerator, where the files name the product.</summary>
    public static AcceleratorProfile? Profile(this ObservedProcess engine) =>
        engine.Accelerator.Product is { } product ? AcceleratorProfiles.ByName.GetValueOrDefault(product) : null;

    public static bool IsOn(this ObservedProcess engine, string variable) =>
        engine.Environment.Value(variable)?.Value.Trim() is { } value && (value == "1" || value.Equals("true", StringComparison.OrdinalIgnoreCase));

    /// <summary>Ranks of the engine (tensor × pipeline), or null when a number is not known.</summary>
    public static int? Ranks(this ObservedProcess engine)
    {
        var pipeline = engine.Arguments.Flag("--pipeline-parallel-size", "-pp") is { } flag ? flag.Value?.TryLong() : 1;
        return engine.TensorParallel is { } tensor && pipeline is { } stages && tensor is > 0 and < 4096 && stages is > 0 and < 4096 ? tensor * (int)stages : null;
    }

    /// <summary>"prefill engine vllm-prefill": how a message names a process.</summary>
    public static string Label(this ObservedProcess process) => $"{process.Role switch
    {
        ProcessRole.Prefill => "prefill engine ",
        ProcessRole.Decode => "decode engine ",
        _ => "",
    }}{process.Name}";

    /// <summary>A place as a message about <paramref name="reader"/> names it: the file only where it is another one.</summary>
    public static string SeenFrom(this SourceSpan place, ObservedProcess reader) =>
        ReferenceEquals(place.File, reader.Span.File) ? $"line {place.Line}" : $"{place.File.Path}:{place.Line}";
}
