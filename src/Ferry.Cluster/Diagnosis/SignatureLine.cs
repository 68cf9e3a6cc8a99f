using System.Text.RegularExpressions;

namespace Ferry.Cluster.Diagnosis;

/// <summary>One line of a log by which a trouble is known.</summary>
/// <remarks>
/// Every line of every log is searched for all literals at once; only a line that holds one of them is put to the pattern.
/// The pattern never backtracks, so that no log can make it slow.
/// </remarks>
public sealed class SignatureLine
{
    private readonly Lazy<Regex?> _pattern;

    /// <param name="literal">Stands in every such line, in this case.</param>
    /// <param name="pattern">What the line must match besides; null when the literal says enough.</param>
    public SignatureLine(string literal, string? pattern = null)
        : this([literal], pattern)
    {
    }

    /// <param name="literals">One of them stands in every such line.</param>
    public SignatureLine(IReadOnlyList<string> literals, string? pattern = null)
    {
        Literals = literals;
        Pattern = pattern;
        _pattern = new(() => pattern is null ? null : new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
    }

    public IReadOnlyList<string> Literals { get; }

    public string? Pattern { get; }

    /// <summary>Whether a line without its ending is one of these.</summary>
    public bool Matches(ReadOnlySpan<char> line)
    {
        foreach (var literal in Literals)
        {
            if (line.Contains(literal, StringComparison.Ordinal))
            {
                return _pattern.Value?.IsMatch(line) ?? true;
            }
        }
        return false;
    }
}
