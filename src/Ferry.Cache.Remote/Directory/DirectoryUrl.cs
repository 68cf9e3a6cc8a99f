using Ferry.Cache.Tiers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Directory;

/// <summary>Reads <c>file:///absolute/path</c>.</summary>
internal static class DirectoryUrl
{
    /// <returns>Opens the tier; null when something was added to <paramref name="errors"/>.</returns>
    public static Func<TimeProvider, ILoggerFactory, IKvTier>? TryMake(string url, RemoteTierOptions options, List<string> errors)
    {
        var before = errors.Count;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Host.Length > 0 || parsed.Query.Length > 0 || parsed.Fragment.Length > 0)
        {
            errors.Add($"cache.shared.url is \"{TierUrl.ForDisplay(url)}\"; a directory has the form file:///absolute/path, with three slashes and nothing after the path.");
            return null;
        }
        if (options.CredentialsFile is not null)
        {
            errors.Add($"cache.shared.credentialsFile is \"{options.CredentialsFile}\", but a directory takes none. Leave it out.");
        }
        S3Only.Check(url, options, errors);
        var directory = new DirectoryTierOptions
        {
            Path = parsed.LocalPath,
            CapacityBytes = options.CapacityBytes,
            ExpireAfter = options.ExpireAfter,
            FlushToDisk = options.FlushToDisk,
        };
        errors.AddRange(directory.Validate());
        return errors.Count > before ? null : (time, loggers) => new DirectoryTier(directory, time, loggers.CreateLogger<DirectoryTier>());
    }
}
