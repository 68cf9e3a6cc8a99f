namespace Ferry.Transfer.Host;

/// <summary>Reads what the kernel tells in files. What cannot be read is absent: containers hide some of it.</summary>
/// <param name="root">Before every path; empty for this machine's own, a folder in tests.</param>
public sealed class HostFiles(string root = "")
{
    // The longest file read here has a few kilobytes.
    private const int CharactersMax = 1 << 16;

    /// <summary>The text without blanks at its ends, or null.</summary>
    public string? TryRead(string path)
    {
        try
        {
            using var reader = new StreamReader(root + path);
            var buffer = new char[CharactersMax];
            var count = reader.ReadBlock(buffer, 0, buffer.Length);
            return new string(buffer, 0, count).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The number that a file holds, or null.</summary>
    public long? TryReadNumber(string path) => long.TryParse(TryRead(path), out var number) ? number : null;

    /// <summary>Names of what lies in a folder, sorted; none if there is no such folder.</summary>
    public IReadOnlyList<string> Names(string path)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(root + path).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public bool Exists(string path) => Path.Exists(root + path);

    /// <summary>The value behind a name in a file of "name: value" lines, or null.</summary>
    public string? TryReadField(string path, string name) => TryRead(path)?.Split('\n')
        .FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..].Trim();
}
