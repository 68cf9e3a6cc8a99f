using System.Globalization;

namespace Ferry.Cluster.Verification.Access;

/// <summary>Lists the processes of a container with a shell of any kind, and reads the listing; reads /proc of this machine in the same form.</summary>
internal static class ProcessListing
{
    private const char RecordMark = '\u001E';
    private const char FieldMark = '\u001D';

    /// <summary>A listing of more is cut: no container of a node has that many.</summary>
    private const int ProcessesMax = 4096;

    /// <summary>Prints command line, environment and limits of every process; built-in words and cat only, for busybox and Debian alike.</summary>
    public static IReadOnlyList<string> Command { get; } =
    [
        "sh", "-c",
        "for p in /proc/[0-9]*; do printf '\\036%s\\035' \"${p#/proc/}\"; cat $p/cmdline; printf '\\035'; cat $p/environ; printf '\\035'; cat $p/limits; done 2>/dev/null; :",
    ];

    public static IReadOnlyList<NodeProcess> Parse(string listing)
    {
        var processes = new List<NodeProcess>();
        foreach (var record in listing.Split(RecordMark, StringSplitOptions.RemoveEmptyEntries).Take(ProcessesMax))
        {
            var fields = record.Split(FieldMark);
            if (fields.Length < 4 || !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id) || fields[1].Length == 0)
            {
                continue;   // A process that ended meanwhile, or the kernel's own.
            }
            var command = fields[1].Replace('\0', ' ').Trim();
            if (!command.Contains("/proc/[0-9]*", StringComparison.Ordinal))
            {
                processes.Add(new NodeProcess(id, command, ParseEnvironment(fields[2]), fields[3]));
            }
        }
        return processes;
    }

    /// <summary>Reads /proc of this machine.</summary>
    /// <param name="ids">As this machine counts.</param>
    public static IReadOnlyList<NodeProcess> ReadLocal(IEnumerable<int> ids)
    {
        var processes = new List<NodeProcess>();
        foreach (var id in ids)
        {
            var command = TryRead(id, "cmdline");
            if (command.Length > 0)
            {
                processes.Add(new NodeProcess(id, command.Replace('\0', ' ').Trim(), ParseEnvironment(TryRead(id, "environ")), TryRead(id, "limits")));
            }
        }
        return processes;
    }

    /// <returns>Null when it holds no variable at all: unreadable, or overwritten.</returns>
    private static Dictionary<string, string>? ParseEnvironment(string environ)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in environ.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                variables.TryAdd(entry[..equals], entry[(equals + 1)..]);   // getenv takes the first of two.
            }
        }
        return variables.Count > 0 ? variables : null;
    }

    private static string TryRead(int id, string file)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/{file}"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
