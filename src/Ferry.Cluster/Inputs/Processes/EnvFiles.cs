using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>The env files among the inputs, for the commands and services that refer to them by name.</summary>
internal sealed class EnvFiles
{
    private readonly Dictionary<string, IReadOnlyList<EnvironmentSetting>> _byPath = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    public void Add(string path, IReadOnlyList<EnvironmentSetting> settings) => _byPath[path] = settings;

    /// <summary>The settings of a file by the path that a command names (the end of the input's path, or the same file name); none when it was not given.</summary>
    public IReadOnlyList<EnvironmentSetting> Find(string path)
    {
        var wanted = path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
        var found = _byPath.Keys.FirstOrDefault(known => known == wanted || known.EndsWith("/" + wanted, StringComparison.Ordinal)) ??
            _byPath.Keys.FirstOrDefault(known => Path.GetFileName(known) == Path.GetFileName(wanted));
        if (found is null) { return []; }
        _used.Add(found);
        return _byPath[found];
    }

    /// <summary>Files that nothing referred to.</summary>
    public IEnumerable<(string Path, IReadOnlyList<EnvironmentSetting> Settings)> Unused() =>
        _byPath.Where(entry => !_used.Contains(entry.Key)).Select(entry => (entry.Key, entry.Value));

    /// <summary>All values by name, for the interpolation that compose does from its <c>.env</c>.</summary>
    public SourcedText? Value(string name) =>
        _byPath.Where(entry => Path.GetFileName(entry.Key) == ".env" || _byPath.Count == 1)
            .SelectMany(entry => entry.Value).LastOrDefault(setting => setting.Name.Value == name)?.Value;
}
