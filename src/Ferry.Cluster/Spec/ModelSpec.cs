namespace Ferry.Cluster.Spec;

/// <summary>The model, in the words that both sides' engines are given.</summary>
public sealed record ModelSpec
{
    [SpecKey("id", "Hugging Face id, or a directory. The string itself is part of vLLM's handshake and of LMCache's keys, so it is the same on every node.", Pattern = @"[^\s'""$`\\]{1,256}", PatternText = "an id or a path without blanks and quotes", Example = "meta-llama/Llama-3.1-70B-Instruct")]
    public required string Id { get; init; }

    [SpecKey("revision", "Commit or tag of the model; pinned, every node has the same weights.", Pattern = @"[A-Za-z0-9._/-]{1,128}", PatternText = "a commit, a branch or a tag")]
    public string? Revision { get; init; }

    [SpecKey("servedName", "Name that clients ask for.", Pattern = @"[^\s'""$`\\]{1,256}", PatternText = "a name without blanks and quotes", DefaultText = "the id")]
    public string? ServedName { get; init; }

    [SpecKey("dtype", "Element type of weights and activations. Gaudi computes in bfloat16 whatever it is told.")]
    public ModelDType DType { get; init; } = ModelDType.BFloat16;

    [SpecKey("kvDtype", "Element type of the KV cache.")]
    public KvCacheDType KvDType { get; init; } = KvCacheDType.Auto;

    [SpecKey("maxLength", "Tokens of prompt and output together.", Minimum = 1, Maximum = 100_000_000)]
    public int MaxLength { get; init; } = 8192;

    [SpecKey("shape", "Layers, heads and widths; known for common models.", DefaultText = "from the list of known models")]
    public ModelShape? Shape { get; init; }

    [SpecKey("token", "Hugging Face token of a gated model.")]
    public SecretSpec? Token { get; init; }

    [SpecKey("trustRemoteCode", "Runs Python code that the model's repository brings. Llama and Qwen need none.")]
    public bool TrustRemoteCode { get; init; }

    [SpecKey("chatTemplate", "File with a chat template in place of the model's own.")]
    public string? ChatTemplate { get; init; }

    /// <summary>The shape: the file's, else that of the known model; null when neither says it.</summary>
    public ModelShape? TryShape() => Shape ?? KnownModels.TryFind(Id);
}
