namespace Ferry.Cluster.Rendering.Output;

/// <summary>A sequence; each item may have a comment above it.</summary>
internal sealed class YamlList : YamlNode
{
    private readonly List<(YamlNode Node, string? Comment)> _items = [];

    public YamlList(params IEnumerable<YamlNode> items) => _items.AddRange(items.Select(item => (item, (string?)null)));

    public IReadOnlyList<(YamlNode Node, string? Comment)> Items => _items;

    /// <summary>Printed as <c>[a, b]</c> on one line: for short lists of scalars.</summary>
    public bool IsFlow { get; init; }

    public YamlList Add(YamlNode node, string? comment = null)
    {
        _items.Add((node, comment));
        return this;
    }
}
