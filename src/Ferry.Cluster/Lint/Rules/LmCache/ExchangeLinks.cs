using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

/// <summary>Which of a cluster's exchanges (<c>ferry cache</c>) an engine uses, and which of them read from each other.</summary>
internal static class ExchangeLinks
{
    private const string DefaultListen = "127.0.0.1:6390";

    /// <summary>HOST:PORT of a store's URL; null where it is not known as text.</summary>
    public static string? AuthorityOf(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal);
        var rest = start < 0 ? url : url[(start + 3)..];
        rest = rest[(rest.LastIndexOf('@') + 1)..].Split('/')[0];
        return rest.Length == 0 || rest.AsSpan().ContainsAny("$<{") ? null : rest;
    }

    /// <summary>The exchange that listens there: at its own address, or behind the Service of its name.</summary>
    public static ObservedProcess? At(string authority, IEnumerable<ObservedProcess> processes) =>
        processes.FirstOrDefault(process => process.Kind == ProcessKind.FerryCache && Is(process, authority));

    /// <summary>Whether the reader names the owner as a peer.</summary>
    public static bool ReadsFrom(ObservedProcess reader, ObservedProcess owner)
    {
        var isPeer = false;
        foreach (var word in reader.Arguments.Words)
        {
            isPeer = word.Value == "--peer" || (isPeer && !word.Value.StartsWith('-'));
            if (isPeer && word.Value != "--peer" && (word.HasUnknown || Is(owner, word.Value)))
            {
                return true;
            }
        }
        return false;
    }

    private static bool Is(ObservedProcess exchange, string authority)
    {
        if (authority == (exchange.Arguments.Value("--resp")?.Value ?? DefaultListen))
        {
            return true;
        }
        // A Service has the workload's name, a pod of it that and a number.
        var name = authority.Split(':', '.')[0];
        return name == exchange.Name || (name.LastIndexOf('-') is var dash and > 0 && name[..dash] == exchange.Name && name[(dash + 1)..].All(char.IsAsciiDigit));
    }
}
