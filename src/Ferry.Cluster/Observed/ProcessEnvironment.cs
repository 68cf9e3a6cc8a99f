using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>The environment of a process as its files set it; the last of several settings of one name counts.</summary>
internal sealed class ProcessEnvironment
{
    private readonly Dictionary<string, EnvironmentSetting> _effective = new(StringComparer.Ordinal);

    /// <param name="settings">In order of precedence, the strongest last.</param>
    public ProcessEnvironment(IReadOnlyList<EnvironmentSetting> settings)
    {
        All = settings;
        foreach (var setting in settings)
        {
            _effective[setting.Name.Value] = setting;
        }
    }

    public static ProcessEnvironment Empty { get; } = new([]);

    /// <summary>Every setting, also those that a later one replaces.</summary>
    public IReadOnlyList<EnvironmentSetting> All { get; }

    /// <summary>The settings that count, in the order of the file.</summary>
    public IEnumerable<EnvironmentSetting> Effective => All.Where(setting => ReferenceEquals(_effective[setting.Name.Value], setting));

    public EnvironmentSetting? Find(string name) => _effective.GetValueOrDefault(name);

    /// <summary>The value, or null when not set or not known.</summary>
    public SourcedText? Value(string name) => Find(name)?.Value;

    public bool Has(string name) => _effective.ContainsKey(name);

    public IEnumerable<EnvironmentSetting> StartingWith(string prefix) =>
        Effective.Where(setting => setting.Name.Value.StartsWith(prefix, StringComparison.Ordinal));
}
