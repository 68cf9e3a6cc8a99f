using Ferry.Cache.Remote.Directory;
using Ferry.Cache.Remote.Redis;
using Ferry.Cache.Remote.S3;
using Ferry.Cache.Tiers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote;

/// <summary>Opens a shared tier by its URL. A new kind of store is one folder and one line here.</summary>
public static class RemoteTiers
{
    private delegate Func<TimeProvider, ILoggerFactory, IKvTier>? Maker(string url, RemoteTierOptions options, List<string> errors);

    private static readonly SortedDictionary<string, Maker> ByScheme = new(StringComparer.OrdinalIgnoreCase)
    {
        ["file"] = DirectoryUrl.TryMake,
        ["redis"] = RedisUrl.TryMake,
        ["rediss"] = RedisUrl.TryMake,
        ["s3"] = S3Url.TryMake,
        ["valkey"] = RedisUrl.TryMake,
    };

    public static IReadOnlyCollection<string> Schemes => ByScheme.Keys;

    /// <returns>What is wrong with the URL, or null.</returns>
    public static string? FindError(string url) => Validate(url, new RemoteTierOptions()) is { Count: > 0 } errors ? errors[0] : null;

    /// <summary>Every error of URL and options at once; empty when usable. Asks no store and opens nothing.</summary>
    public static IReadOnlyList<string> Validate(string url, RemoteTierOptions options)
    {
        var errors = new List<string>();
        TryMake(url, options, errors);
        return errors;
    }

    /// <summary>Opens the tier. A store that is not there now is no error here: the tier is off until it is.</summary>
    /// <exception cref="ArgumentException">URL or options are not usable; the message lists why.</exception>
    public static IKvTier Open(string url, RemoteTierOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var errors = new List<string>();
        return TryMake(url, options, errors) is { } open ? open(time, loggers) : throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(url));
    }

    private static Func<TimeProvider, ILoggerFactory, IKvTier>? TryMake(string url, RemoteTierOptions options, List<string> errors)
    {
        // LMCache takes "file:/x" for a relative directory named "file:"; here only what cannot be misread passes.
        var end = url.IndexOf("://", StringComparison.Ordinal);
        if (end <= 0)
        {
            errors.Add($"cache.shared.url is \"{TierUrl.ForDisplay(url)}\"; write a URL such as file:///var/cache/ferry.");
            return null;
        }
        if (!ByScheme.TryGetValue(url[..end], out var make))
        {
            errors.Add($"cache.shared.url is \"{TierUrl.ForDisplay(url)}\"; its scheme must be one of: {string.Join(", ", Schemes)}.");
            return null;
        }
        return make(url, options, errors);
    }
}
