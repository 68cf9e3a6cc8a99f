using Ferry.Router.Configuration;

namespace Ferry.Router.Discovery;

/// <summary>A YAML file with the lists prefill and decode. A file with an error changes nothing.</summary>
internal sealed class FileNodeSource(string path, Func<TimeSpan> interval) : INodeSource
{
    private DateTime _seen;
    private long _seenBytes = -1;

    public string Name => $"file {path}";

    public Task<TimeSpan> LookAsync(Action<NodeLists> found, CancellationToken cancellationToken)
    {
        var file = new FileInfo(path);
        if (file.Exists && file.LastWriteTimeUtc == _seen && file.Length == _seenBytes) { return Task.FromResult(interval()); }
        var errors = new List<string>();
        var text = YamlPlace.TryReadFile(path, errors);
        var options = text is null ? new RouterOptions() : RouterConfigFile.ReadNodes(text, path, errors);
        RouterOptionsValidator.CheckNodes(errors, $"{path}: prefill", options.Prefill);
        RouterOptionsValidator.CheckNodes(errors, $"{path}: decode", options.Decode);
        if (errors.Count > 0) { throw new NodeSourceException(string.Join(" ", errors)); }
        found(new NodeLists(options.Prefill, options.Decode));
        (_seen, _seenBytes) = (file.LastWriteTimeUtc, file.Length);
        return Task.FromResult(interval());
    }
}
