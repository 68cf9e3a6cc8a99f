using Ferry.Kv.Settings;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ferry.Cache.Remote.Settings;

/// <summary>A configuration file as a list of values that know where they stand. A file that is none leaves errors and no values.</summary>
public sealed class YamlFile
{
    private const int MaxBytes = 1 << 20; // The longest real one is a page.
    private const int MaxDepth = 8;
    private const int MaxEntries = 10_000; // An alias may stand in many places: the count is of places, so a small file cannot grow without bound.

    private readonly List<YamlEntry> _entries = [];
    private YamlMappingNode? _root;
    private bool _isTooLarge;

    private YamlFile(string path) => Path = path;

    public string Path { get; }

    /// <summary>The value of a key at the root, for a reader of its own; null where there is none.</summary>
    public YamlNode? TryFind(string key) => _root?.Children.FirstOrDefault(pair => pair.Key is YamlScalarNode { Value: { } name } && name == key).Value;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<YamlEntry> Entries => _entries;

    /// <summary>Reads a file.</summary>
    /// <param name="name">The setting that names it, for errors.</param>
    public static YamlFile? TryRead(string path, string name, FindingLog findings)
    {
        string text;
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaxBytes)
            {
                findings.Error(name, path, $"{path} has {file.Length} bytes; at most {MaxBytes} are read.");
                return null;
            }
            using var reader = new StreamReader(file);
            text = reader.ReadToEnd();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            findings.Error(name, path, $"{path} cannot be read: {exception.Message}");
            return null;
        }
        return TryParse(text, path, name, findings);
    }

    /// <summary>Reads the text of a file.</summary>
    public static YamlFile? TryParse(string text, string path, string name, FindingLog findings)
    {
        var result = new YamlFile(path);
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count > 1)
            {
                findings.Error(name, path, $"{path} holds {stream.Documents.Count} documents; one is read. Remove the line of three dashes.");
                return null;
            }
            if (stream.Documents.Count == 0 || stream.Documents[0].RootNode is YamlScalarNode { Value: null or "" })
            {
                return result;
            }
            if (stream.Documents[0].RootNode is not YamlMappingNode root)
            {
                findings.Error(name, path, $"{path} must be a mapping of keys to values.", result.PlaceOf(stream.Documents[0].RootNode));
                return null;
            }
            result._root = root;
            result.Add("", root, 0, name, findings);
        }
        catch (YamlException exception)
        {
            // The parser's own message repeats the position, and for a duplicate key hides the reason inside.
            findings.Error(name, path, $"{path} is not valid YAML: {(exception.InnerException ?? exception).Message}", $"{path}:{exception.Start.Line}:{exception.Start.Column}");
            return null;
        }
        return result;
    }

    private void Add(string prefix, YamlNode node, int depth, string name, FindingLog findings)
    {
        if (_isTooLarge)
        {
            return;   // said once, and nothing more is unfolded
        }
        if (depth > MaxDepth || _entries.Count >= MaxEntries)
        {
            _isTooLarge = true;
            findings.Error(name, Path, $"{Path} is nested deeper than {MaxDepth} levels or has more than {MaxEntries} values.", PlaceOf(node));
            return;
        }
        switch (node)
        {
            case YamlMappingNode mapping:
                prefix += prefix.Length > 0 ? "." : "";
                foreach (var (key, value) in mapping.Children)
                {
                    if (key is not YamlScalarNode { Value: { Length: > 0 } text })
                    {
                        findings.Error(name, Path, "a key must be a plain word.", PlaceOf(key));
                        continue;
                    }
                    if (value is YamlMappingNode { Children.Count: 0 } or YamlSequenceNode { Children.Count: 0 })
                    {
                        _entries.Add(new YamlEntry(prefix + text, null, PlaceOf(value)));
                        continue;
                    }
                    Add(prefix + text, value, depth + 1, name, findings);
                }
                break;
            case YamlSequenceNode sequence:
                for (var index = 0; index < sequence.Children.Count; index++)
                {
                    Add($"{prefix}[{index}]", sequence.Children[index], depth + 1, name, findings);
                }
                break;
            case YamlScalarNode scalar:
                // Quoted, "null" is a word; plain, it is nothing.
                var isNull = scalar.Style == ScalarStyle.Plain && scalar.Value is null or "" or "null" or "Null" or "NULL" or "~";
                _entries.Add(new YamlEntry(prefix, isNull ? null : scalar.Value, PlaceOf(scalar)));
                break;
        }
    }

    private string PlaceOf(YamlNode node) => $"{Path}:{node.Start.Line}:{node.Start.Column}";
}
