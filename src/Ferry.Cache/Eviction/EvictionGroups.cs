namespace Ferry.Cache.Eviction;

/// <summary>One order of eviction for all that has no quota, and one for each salt that has, so that a tenant at its limit loses its own. In each, what is pinned softly comes last.</summary>
internal sealed class EvictionGroups(EvictionPolicyKind kind, IEvictionNodes nodes)
{
    /// <summary>The group of everything without a quota.</summary>
    public const int Shared = 0;

    private readonly List<Group?> _groups = [new Group(kind.Create(nodes))];

    /// <summary>Nodes held by all policies.</summary>
    public int Count => _groups.Sum(group => group is null ? 0 : group.Normal.Count + (group.Soft?.Count ?? 0));

    public int Open()
    {
        var free = _groups.IndexOf(null);
        if (free < 0)
        {
            free = _groups.Count;
            _groups.Add(null);
        }
        _groups[free] = new Group(kind.Create(nodes));
        return free;
    }

    /// <summary>The group is empty: its nodes were moved.</summary>
    public void Close(int group) => _groups[group] = null;

    public IEvictionPolicy PolicyOf(int group, bool isSoft)
    {
        var found = _groups[group]!;
        return isSoft ? found.Soft ??= kind.Create(nodes) : found.Normal;
    }

    public bool HasVictim(int group, bool isSoft) => (isSoft ? _groups[group]!.Soft?.Count ?? 0 : _groups[group]!.Normal.Count) > 0;

    private sealed class Group(IEvictionPolicy normal)
    {
        public IEvictionPolicy Normal { get; } = normal;

        public IEvictionPolicy? Soft { get; set; }
    }
}
