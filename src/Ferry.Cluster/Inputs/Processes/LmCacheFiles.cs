using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>LMCache's YAML files among the inputs, for the processes whose <c>LMCACHE_CONFIG_FILE</c> names them.</summary>
internal sealed class LmCacheFiles(IReadOnlyList<LmCacheFile> files, Func<SourcedText, DataNode?> parse)
{
    private readonly HashSet<LmCacheFile> _used = [];

    /// <summary>The file that a path in a container means: a mounted ConfigMap's, an input of the same name, or the only one there is.</summary>
    public DataNode? Find(string? path, IReadOnlyDictionary<string, SourcedText> mounted)
    {
        if (path is null) { return null; }
        if (mounted.TryGetValue(path, out var text)) { return parse(text); }
        var name = Path.GetFileName(path);
        var found = files.FirstOrDefault(file => Path.GetFileName(file.Path) == name) ?? (files.Count == 1 ? files[0] : null);
        if (found is null) { return null; }
        _used.Add(found);
        return found.Root;
    }

    /// <summary>Files that no process reads: they are checked alone.</summary>
    public IEnumerable<LmCacheFile> Unused() => files.Where(file => !_used.Contains(file));
}
