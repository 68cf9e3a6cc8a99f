using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Vllm;

/// <summary>Whether an engine's weights come from a volume.</summary>
internal static class ModelStore
{
    private const string DefaultCache = "/root/.cache/huggingface";

    /// <summary>A lasting volume holds the Hugging Face cache, the download directory or a path that the model is named by.</summary>
    public static bool IsMounted(ObservedProcess engine, ContainerSettings container)
    {
        string[] places =
        [
            .. new[] { "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE" }.Select(name => engine.Environment.Value(name)?.Value).OfType<string>(),
            engine.Arguments.Value("--download-dir")?.Value ?? DefaultCache,
            DefaultCache,
        ];
        return container.Volumes.Any(volume => volume.IsLasting &&
            (places.Any(volume.Holds) || volume.Target.Contains("huggingface", StringComparison.OrdinalIgnoreCase) || volume.Target.Contains(".cache", StringComparison.Ordinal)));
    }
}
