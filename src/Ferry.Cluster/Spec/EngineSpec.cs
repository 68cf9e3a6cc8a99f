namespace Ferry.Cluster.Spec;

/// <summary>The engine of a pool.</summary>
public sealed record EngineSpec
{
    [SpecKey("kind", "Which engine.")]
    public EngineKind Kind { get; init; } = EngineKind.Vllm;

    [SpecKey("version", "Its version, as it calls itself. Handshakes compare it, and rules apply by it.", Pattern = @"[0-9]+(\.[0-9]+){0,3}([.+-]?[A-Za-z0-9.]+)*", PatternText = "a version such as 0.24.0", Example = "0.24.0")]
    public string? Version { get; init; }

    [SpecKey("image", "Container image.", Pattern = @"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}", PatternText = "an image reference", Example = "rocm/vllm:v0.24.0", DefaultText = "of the accelerator and the version")]
    public string? Image { get; init; }

    [SpecKey("attentionBackend", "--attention-backend; left out, vLLM chooses.", Pattern = "[A-Z0-9_]{1,64}", PatternText = "a name such as TRITON_ATTN")]
    public string? AttentionBackend { get; init; }

    [SpecKey("nixlVersion", "Version of NIXL in the image, for the checks of pairs.", Pattern = @"[0-9]+(\.[0-9]+){0,3}([.+-]?[A-Za-z0-9.]+)*", PatternText = "a version such as 1.3.2")]
    public string? NixlVersion { get; init; }

    [SpecKey("lmcacheVersion", "Version of LMCache in the image, for the checks of pairs.", Pattern = @"[0-9]+(\.[0-9]+){0,3}([.+-]?[A-Za-z0-9.]+)*", PatternText = "a version such as 0.4.3")]
    public string? LmcacheVersion { get; init; }

    [SpecKey("chunkedPrefill", "Prompts in pieces between decode steps; left out, as the engine does (on).")]
    public bool? ChunkedPrefill { get; init; }

    [SpecKey("prefixCaching", "Blocks of earlier prompts are used again; left out, as the engine does (on).")]
    public bool? PrefixCaching { get; init; }

    [SpecKey("flags", "Further flags, as they stand on the command line.", Pattern = @"[^\r\n]+", PatternText = "one line", MaximumItems = 256)]
    public IReadOnlyList<string> Flags { get; init; } = [];

    [SpecKey("env", "Further environment variables. No secrets: those stand as references where they are needed.", MaximumItems = 256)]
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
