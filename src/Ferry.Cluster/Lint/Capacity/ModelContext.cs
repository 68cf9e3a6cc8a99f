namespace Ferry.Cluster.Lint.Capacity;

/// <summary>Longest sequence of common model families: <c>max_position_embeddings</c> of their config.json.</summary>
internal static class ModelContext
{
    private static readonly (string Prefix, long Tokens)[] Families =
    [
        ("meta-llama/Llama-3.1-", 131_072), ("meta-llama/Llama-3.2-", 131_072), ("meta-llama/Llama-3.3-", 131_072),
        ("meta-llama/Meta-Llama-3.1-", 131_072), ("meta-llama/Meta-Llama-3-", 8192), ("mistralai/Mistral-7B-v0.3", 32_768),
        ("mistralai/Mistral-7B-Instruct-v0.3", 32_768), ("HuggingFaceTB/SmolLM2-", 8192),
    ];

    /// <summary>Tokens, or null for a model that is not known.</summary>
    public static long? TryTokens(string model)
    {
        foreach (var (prefix, tokens) in Families)
        {
            if (model.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) { return tokens; }
        }
        return null;
    }
}
