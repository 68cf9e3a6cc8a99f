using System.Globalization;

namespace Ferry.Cluster.Verification.Access;

/// <summary>Which process of this machine listens on a port: /proc/net/tcp names the socket, /proc/ID/fd its owner.</summary>
internal static class PortOwner
{
    private const string Listening = "0A";

    /// <returns>Null: nobody does, or the owner's descriptors may not be read.</returns>
    public static int? Find(int port)
    {
        var sockets = ((string[])["/proc/net/tcp", "/proc/net/tcp6"]).Where(File.Exists).SelectMany(File.ReadLines).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 9 && fields[3] == Listening && fields[1].EndsWith(string.Create(CultureInfo.InvariantCulture, $":{port:X4}"), StringComparison.Ordinal))
            .Select(fields => $"socket:[{fields[9]}]").ToHashSet(StringComparer.Ordinal);
        return sockets.Count == 0 ? null : Ids().Cast<int?>().FirstOrDefault(id => Holds(id!.Value, sockets));
    }

    /// <summary>The process and every one below it.</summary>
    public static IReadOnlyList<int> WithChildren(int id)
    {
        var parents = Ids().ToDictionary(one => one, ParentOf);
        var family = new List<int> { id };
        for (var at = 0; at < family.Count; at++)
        {
            family.AddRange(parents.Where(pair => pair.Value == family[at] && !family.Contains(pair.Key)).Select(pair => pair.Key));
        }
        return family;
    }

    private static IEnumerable<int> Ids() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Select(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id > 0);

    private static bool Holds(int id, HashSet<string> sockets)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/fd"))
                .Any(descriptor => new FileInfo(descriptor).LinkTarget is { } target && sockets.Contains(target));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;   // It ended, or is another user's.
        }
    }

    private static int ParentOf(int id)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            // ID (name, which may hold blanks and parentheses) state parent …
            var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return int.Parse(fields[1], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            return 0;
        }
    }
}
