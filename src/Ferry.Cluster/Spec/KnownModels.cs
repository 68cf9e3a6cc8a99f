namespace Ferry.Cluster.Spec;

/// <summary>Shapes of common models, as their config.json gives them; the numbers of parameters follow from the shape (a test computes them).</summary>
public static class KnownModels
{
    private static readonly Dictionary<string, ModelShape> ByName = new(StringComparer.OrdinalIgnoreCase)
    {
        ["meta-llama/Llama-3.1-8B"] = Shape(32, 4096, 32, 8, 128, 8_030_261_248),
        ["meta-llama/Llama-3.1-70B"] = Shape(80, 8192, 64, 8, 128, 70_553_706_496),
        ["meta-llama/Llama-3.1-405B"] = Shape(126, 16_384, 128, 8, 128, 405_853_388_800),
        ["meta-llama/Llama-3.2-1B"] = Shape(16, 2048, 32, 8, 64, 1_235_814_400),
        ["meta-llama/Llama-3.2-3B"] = Shape(28, 3072, 24, 8, 128, 3_212_749_824),
        ["meta-llama/Llama-3.3-70B"] = Shape(80, 8192, 64, 8, 128, 70_553_706_496),
        ["mistralai/Mistral-7B-v0.3"] = Shape(32, 4096, 32, 8, 128, 7_248_023_552),
        ["Qwen/Qwen3-8B"] = Shape(36, 4096, 32, 8, 128, 8_190_735_360),
        ["Qwen/Qwen3-32B"] = Shape(64, 5120, 64, 8, 128, 32_762_123_264),
        ["HuggingFaceTB/SmolLM2-360M"] = Shape(32, 960, 15, 5, 64, 361_821_120),
        ["models/ferry-tiny"] = Shape(4, 128, 8, 4, 32, 1_115_264),
    };

    /// <summary>Every name, without the suffixes that <see cref="TryFind"/> also takes.</summary>
    public static IEnumerable<string> Names => ByName.Keys.Order(StringComparer.Ordinal);

    /// <summary>The shape of a model by its id; an instruction-tuned variant has its base model's.</summary>
    public static ModelShape? TryFind(string id)
    {
        string[] suffixes = ["-Instruct", "-it", "-Chat"];
        var name = suffixes.Where(suffix => id.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)).Select(suffix => id[..^suffix.Length]).FirstOrDefault() ?? id;
        return ByName.GetValueOrDefault(id) ?? ByName.GetValueOrDefault(name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name);
    }

    private static ModelShape Shape(int layers, int hidden, int heads, int kvHeads, int headDim, long parameters) =>
        new() { Layers = layers, Hidden = hidden, Heads = heads, KvHeads = kvHeads, HeadDim = headDim, Parameters = parameters };
}
