namespace Ferry.Cluster.Reading;

/// <summary>Where each value of a specification came from: path of the value, such as <c>pools[0].engine.version</c>, to line and column.</summary>
public sealed class SpecSource(string file, IReadOnlyDictionary<string, SpecPlace> places)
{
    public string File { get; } = file;

    /// <summary>Every key and item that the file has; what it leaves out is not there.</summary>
    public IReadOnlyDictionary<string, SpecPlace> Places { get; } = places;

    /// <summary>The place of a path; of the nearest part above it when the file leaves it out (a default has no line of its own).</summary>
    public SpecPlace Find(string path)
    {
        for (var at = path; at.Length > 0; at = Parent(at))
        {
            if (Places.TryGetValue(at, out var place))
            {
                return place;
            }
        }
        return new SpecPlace(1, 1, 1, 1);
    }

    /// <summary>file:line:column of a path's value.</summary>
    public string Text(string path)
    {
        var place = Find(path);
        return $"{File}:{place.ValueLine}:{place.ValueColumn}";
    }

    private static string Parent(string path)
    {
        var end = path.LastIndexOfAny(['.', '[']);
        return end < 0 ? "" : path[..end];
    }
}
