using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Lint.Vllm;

/// <summary>Ids of known models as the hub spells them.</summary>
internal static class ModelIds
{
    private static readonly string[] Suffixes = ["", "-Instruct"];

    /// <summary>The canonical id of a known model, or null.</summary>
    public static string? TryCanonical(string id)
    {
        foreach (var name in KnownModels.Names)
        {
            foreach (var suffix in Suffixes)
            {
                if (id.Length == name.Length + suffix.Length && id.Equals(name + suffix, StringComparison.OrdinalIgnoreCase)) { return name + suffix; }
            }
        }
        return null;
    }

    /// <summary>A base model of a family that has a tuned variant under the same name.</summary>
    public static bool IsBase(string id) => TryCanonical(id) is { } canonical && canonical.StartsWith("meta-llama/", StringComparison.Ordinal) &&
        !canonical.EndsWith("-Instruct", StringComparison.Ordinal);
}
