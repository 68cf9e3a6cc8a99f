using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>The suppression file: <c>RULE [path[:line]]: reason</c>, one a line, <c>#</c> for comments.</summary>
public sealed class Suppressions
{
    private const int MaxEntries = 10_000;

    private Suppressions(IReadOnlyList<Suppression> entries) => Entries = entries;

    public IReadOnlyList<Suppression> Entries { get; }

    /// <summary>Reads a suppression file; every line that is wrong adds one error (<c>path:line: what, and the way out</c>).</summary>
    public static Suppressions Read(SourceFile file, ICollection<string> errors)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(errors);
        var entries = new List<Suppression>();
        for (var number = 1; number <= file.LineCount; number++)
        {
            var line = file.Line(number).Text.Trim();
            if (line.Length == 0 || line[0] == '#') { continue; }
            if (entries.Count == MaxEntries)
            {
                errors.Add($"{file.Path}:{number}: more than {MaxEntries} suppressions; fix some of the findings.");
                break;
            }
            if (TryParse(line, out var error) is { } entry)
            {
                entries.Add(entry);
            }
            else
            {
                errors.Add($"{file.Path}:{number}: {error}");
            }
        }
        return new Suppressions(entries);
    }

    public bool Covers(LintFinding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return Entries.Any(entry => entry.RuleId == finding.Rule.Id &&
            (entry.Path is null || IsSamePath(finding.Span.File.Path, entry.Path)) &&
            (entry.Line is null || entry.Line == finding.Span.Line));
    }

    private static bool IsSamePath(string path, string end) =>
        path == end || path.EndsWith("/" + end, StringComparison.Ordinal) || path == end.TrimStart('.', '/');

    private static Suppression? TryParse(string line, out string error)
    {
        var words = line.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries);
        var id = words[0].TrimEnd(':');
        if (RuleCatalog.Find(id) is not { } rule)
        {
            error = $"there is no rule {id}.{(RuleCatalog.Nearest(id) is { } nearest ? $" Did you mean {nearest}?" : "")}";
            return null;
        }
        var rest = words.Length > 1 ? words[1].Trim() : "";
        var place = "";
        if (!words[0].EndsWith(':'))
        {
            var end = rest.StartsWith(": ", StringComparison.Ordinal) || rest == ":" ? 0 : rest.IndexOf(": ", StringComparison.Ordinal);
            if (end < 0)
            {
                error = $"{id} is suppressed without a reason. Write '{id}: why', or '{id} path:line: why'.";
                return null;
            }
            (place, rest) = (rest[..end].Trim(), rest[(end + 1)..].Trim());
        }
        if (rest.Length == 0)
        {
            error = $"{id} is suppressed without a reason. Write it behind the colon.";
            return null;
        }
        var colon = place.LastIndexOf(':');
        int? lineNumber = null;
        if (colon >= 0)
        {
            if (!int.TryParse(place[(colon + 1)..], out var number) || number < 1)
            {
                error = $"'{place[(colon + 1)..]}' is no line number.";
                return null;
            }
            lineNumber = number;
            place = place[..colon];
        }
        error = "";
        return new Suppression(rule.Info.Id, place.Length > 0 ? place : null, lineNumber, rest);
    }
}
