namespace Ferry.Kv.Layout;

/// <summary>A layout contradicts itself, or two layouts have no conversion between them.</summary>
/// <param name="summary">What was asked for.</param>
/// <param name="mismatches">Every field that stands in the way, each with its value; never empty.</param>
public sealed class KvLayoutException(string summary, IReadOnlyList<string> mismatches)
    : Exception($"{summary}: {string.Join("; ", mismatches)}.")
{
    /// <summary>One entry a field, so that a tool can list them.</summary>
    public IReadOnlyList<string> Mismatches { get; } = mismatches;
}
