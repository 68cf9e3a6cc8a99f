using Ferry.Cluster.Spec;
using Ferry.Cluster.Yaml;

namespace Ferry.Cluster.Reading;

/// <summary>Reads ferry.yaml.</summary>
public static class ClusterSpecFile
{
    /// <summary>Reads a file; one that cannot be read is an error of its first line.</summary>
    public static SpecReading Load(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > YamlTreeReader.MaximumLength } file)
            {
                return Refused(path, 1, 1, $"{file.Length} bytes; at most {YamlTreeReader.MaximumLength} are read.");
            }
            return Read(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return Refused(path, 1, 1, $"cannot be read: {exception.Message}");
        }
    }

    /// <param name="path">The name that errors give the file.</param>
    public static SpecReading Read(string text, string path)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(path);
        YamlTree root;
        try
        {
            root = YamlTreeReader.Read(text) ?? new YamlMap([], 1, 1, 1);
        }
        catch (YamlRefusal refusal)
        {
            return Refused(path, Math.Max(1, refusal.Line), Math.Max(1, refusal.Column), refusal.Message);
        }
        var reader = new SpecReader(path);
        var spec = (ClusterSpec)reader.ReadRecord(root, SpecRecordType.Of(typeof(ClusterSpec)), "");
        if (reader.Errors.Count == 0)
        {
            ClusterSpecRules.Check(spec, reader);
        }
        var errors = reader.Errors.OrderBy(error => error.Line).ThenBy(error => error.Column).ToList();
        return new SpecReading(errors.Count == 0 ? spec : null, reader.Source, errors);
    }

    private static SpecReading Refused(string path, int line, int column, string text) =>
        new(null, new SpecSource(path, new Dictionary<string, SpecPlace>()), [new SpecError(path, line, column, "", text)]);
}
