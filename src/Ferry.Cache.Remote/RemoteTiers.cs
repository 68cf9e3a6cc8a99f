using Ferry.Cache.Remote.Directory;
using Ferry.Cache.Tiers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote;

/// <summary>Opens a shared tier by its URL. A new kind of store is one folder and one line here.</summary>
public static class RemoteTiers
{
    private static readonly SortedDictionary<string, Func<Uri, RemoteTierOptions, TimeProvider, ILoggerFactory, IKvTier>> ByScheme =
        new(StringComparer.OrdinalIgnoreCase)
        {
            [Uri.UriSchemeFile] = static (url, options, time, loggers) => new DirectoryTier(
                new DirectoryTierOptions { Path = url.LocalPath, CapacityBytes = options.CapacityBytes, FlushToDisk = options.FlushToDisk },
                time, loggers.CreateLogger<DirectoryTier>()),
        };

    public static IReadOnlyCollection<string> Schemes => ByScheme.Keys;

    /// <returns>What is wrong with the URL, or null.</returns>
    public static string? FindError(string url)
    {
        // LMCache takes "file:/x" for a relative directory named "file:"; here only what cannot be misread passes.
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || !url.Contains("://", StringComparison.Ordinal))
        {
            return $"cache.shared.url is \"{url}\"; write a URL such as file:///var/cache/ferry.";
        }
        if (!ByScheme.ContainsKey(parsed.Scheme))
        {
            return $"cache.shared.url is \"{url}\"; its scheme must be one of: {string.Join(", ", Schemes)}.";
        }
        if (parsed.IsFile && (parsed.Host.Length > 0 || parsed.Query.Length > 0 || parsed.Fragment.Length > 0))
        {
            return $"cache.shared.url is \"{url}\"; a directory has the form file:///absolute/path, with three slashes and nothing after the path.";
        }
        return null;
    }

    /// <exception cref="ArgumentException">The URL is not usable; the message is that of <see cref="FindError"/>.</exception>
    public static IKvTier Open(string url, RemoteTierOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        if (FindError(url) is { } error)
        {
            throw new ArgumentException(error, nameof(url));
        }
        var parsed = new Uri(url);
        return ByScheme[parsed.Scheme](parsed, options, time, loggers);
    }
}
