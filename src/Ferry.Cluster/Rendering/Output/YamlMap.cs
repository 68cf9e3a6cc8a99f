using System.Collections;

namespace Ferry.Cluster.Rendering.Output;

/// <summary>A mapping in the order in which it was filled; each entry may have a comment above it.</summary>
internal sealed class YamlMap : YamlNode, IEnumerable<KeyValuePair<string, YamlNode>>
{
    private readonly List<(string Key, YamlNode Node, string? Comment)> _entries = [];

    public IReadOnlyList<(string Key, YamlNode Node, string? Comment)> Entries => _entries;

    public int Count => _entries.Count;

    public void Add(string key, YamlNode node) => _entries.Add((key, node, null));

    public void Add(string key, YamlNode node, string? comment) => _entries.Add((key, node, comment));

    /// <summary>Adds the entry unless its list or mapping is empty.</summary>
    public void AddUnlessEmpty(string key, YamlNode node, string? comment = null)
    {
        if (node is YamlMap { Count: > 0 } or YamlList { Items.Count: > 0 } or YamlScalar)
        {
            Add(key, node, comment);
        }
    }

    public IEnumerator<KeyValuePair<string, YamlNode>> GetEnumerator() =>
        _entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Node)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
