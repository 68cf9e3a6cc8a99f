using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>A rule about what a page says, line by line: claims that mislead whoever follows it.</summary>
internal abstract class ProseRule : LintRule
{
    /// <summary>Longer lines are data, not prose.</summary>
    private const int LineCharactersMax = 1000;

    public sealed override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var file in cluster.Files)
        {
            if (!file.Path.EndsWith(".md", StringComparison.OrdinalIgnoreCase) && !file.Path.EndsWith(".markdown", StringComparison.OrdinalIgnoreCase)) { continue; }
            for (var number = 1; number <= file.LineCount; number++)
            {
                var line = file.Line(number);
                if (line.Length is > 0 and <= LineCharactersMax) { CheckLine(line, line.Text, findings); }
            }
        }
    }

    protected abstract void CheckLine(SourceSpan line, string text, FindingSink findings);
}
