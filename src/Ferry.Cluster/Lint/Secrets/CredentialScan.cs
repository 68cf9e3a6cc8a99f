using System.Text.RegularExpressions;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Secrets;

/// <summary>Finds credentials by their form alone, wherever in a file they stand.</summary>
internal static partial class CredentialScan
{
    /// <summary>More than this in one file is a dump of keys; the first ones say enough.</summary>
    private const int PerFileMax = 50;

    /// <summary>What it looks like, and where.</summary>
    public static IEnumerable<(string Kind, SourceSpan Span)> Of(SourceFile file)
    {
        var found = new List<(string, SourceSpan)>();
        foreach (var match in Pattern().EnumerateMatches(file.Text))
        {
            var text = file.Text.AsSpan(match.Index, match.Length);
            found.Add((text[0] switch
            {
                'A' => "an AWS access key id",
                'h' => "a Hugging Face token",
                'g' => "a GitHub token",
                'n' => "an NVIDIA NGC key",
                _ => "a private key",
            }, file.Span(match.Index, match.Length)));
            if (found.Count == PerFileMax) { break; }
        }
        return found;
    }

    // Forms that their issuers fix; AWS's documentation uses AKIA…EXAMPLE, which is nobody's.
    [GeneratedRegex(@"\b(?:A(?:KIA|SIA)(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}|hf_[A-Za-z0-9]{30,40}|gh[pousr]_[A-Za-z0-9]{36}|nvapi-[A-Za-z0-9_-]{60,70})\b|-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
