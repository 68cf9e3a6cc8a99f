using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Inputs;

/// <summary>Tells the set-ups of a page apart: a page that shows a prefill node twice shows two clusters. Files are one cluster.</summary>
internal sealed class ProcessGroups
{
    /// <summary>Behind any number of set-ups of a page.</summary>
    private const int FirstDescription = 1 << 20;

    private readonly List<ObservedProcess> _all = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<ProcessRole, int> _sections = [];
    private int _group;

    public IReadOnlyList<ObservedProcess> All => _all;

    /// <param name="section">Of the page; null for a file.</param>
    /// <param name="description">Which of several ferry.yaml it belongs to: each is a whole cluster.</param>
    public void Add(ObservedProcess process, int? section, int? description = null)
    {
        if (description is { } index)
        {
            _all.Add(process with { Group = FirstDescription + index });
            return;
        }
        if (section is not { } number)
        {
            _all.Add(process);
            return;
        }
        var isSameName = process.Container?.Name is not null && !_names.Add(process.Name);
        var isSameRoleElsewhere = process.Role is ProcessRole.Prefill or ProcessRole.Decode && _sections.TryGetValue(process.Role, out var before) && before != number;
        if (isSameName || isSameRoleElsewhere)
        {
            _group++;
            _names.Clear();
            _names.Add(process.Name);
            _sections.Clear();
        }
        _sections[process.Role] = number;
        _all.Add(process with { Group = _group });
    }
}
