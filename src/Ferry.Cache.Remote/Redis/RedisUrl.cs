using System.Globalization;
using System.Text.RegularExpressions;
using Ferry.Cache.Tiers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Redis;

/// <summary>Reads <c>redis://[user@]host[:port][,host:port…][/db][?prefix=…&amp;ca=…]</c>; <c>rediss</c> is the same over TLS.</summary>
internal static partial class RedisUrl
{
    private const int DefaultPort = 6379;
    private const int DatabaseMax = 15; // Redis' own default of 16 databases; a cluster has one.
    private const int ServersMax = 64;
    private static readonly string[] Known = ["prefix", "ca"];

    /// <returns>Opens the tier; null when something was added to <paramref name="errors"/>.</returns>
    public static Func<TimeProvider, ILoggerFactory, IKvTier>? TryMake(string url, RemoteTierOptions options, List<string> errors)
    {
        var before = errors.Count;
        var location = TryParse(url, errors);
        S3Only.Check(url, options, errors);
        if (options.FlushToDisk)
        {
            errors.Add($"cache.shared.flushToDisk is on, but Redis does not say when a value is on its disk (cache.shared.url is \"{TierUrl.ForDisplay(url)}\"). Turn it off, or use a directory or S3.");
        }
        if (location is null || errors.Count > before)
        {
            return null;
        }
        var redis = new RedisTierOptions
        {
            Location = location,
            CapacityBytes = options.CapacityBytes,
            ExpireAfter = options.ExpireAfter,
            PasswordFile = options.CredentialsFile,
            Environment = options.Environment,
        };
        errors.AddRange(redis.Validate());
        return errors.Count > before ? null : (time, loggers) => new RedisTier(redis, time, loggers.CreateLogger<RedisTier>());
    }

    public static RedisLocation? TryParse(string url, List<string> errors)
    {
        var before = errors.Count;
        var query = TierQuery.TryParse(url, Known, errors);
        if (query is null)
        {
            return null;
        }
        var shown = TierUrl.ForDisplay(url);
        if (query.User?.Contains(':', StringComparison.Ordinal) == true)
        {
            errors.Add($"cache.shared.url \"{shown}\" holds a password. URLs end up in logs: put it into REDISCLI_AUTH or a credentials file, and write redis://USER@HOST:PORT.");
        }
        var tls = url.StartsWith("rediss", StringComparison.OrdinalIgnoreCase);
        var servers = Servers(shown, query.Authority, errors);
        var database = 0;
        if (query.Path.Length > 0 && (!int.TryParse(query.Path, NumberStyles.None, CultureInfo.InvariantCulture, out database) || database > DatabaseMax))
        {
            errors.Add($"cache.shared.url is \"{shown}\"; behind the host stands the number of a database, 0 to {DatabaseMax}. A prefix is ?prefix=NAME.");
        }
        if (servers.Count > 1 && database != 0)
        {
            errors.Add($"cache.shared.url is \"{shown}\"; a cluster has database 0 only. Leave /{database} out, or name one server.");
        }
        var prefix = query.Values.GetValueOrDefault("prefix") ?? "";
        if (prefix.Length > 0 && !PrefixPath().IsMatch(prefix))
        {
            errors.Add($"cache.shared.url is \"{shown}\"; the prefix \"{prefix}\" must be at most 256 letters, digits and _ . - = in parts between single slashes.");
        }
        var authorityFile = query.Values.GetValueOrDefault("ca");
        if (authorityFile is not null && (!tls || !Path.IsPathFullyQualified(authorityFile)))
        {
            errors.Add($"cache.shared.url \"{shown}\": ca is \"{authorityFile}\"; it must be the absolute path of a PEM file, and the scheme rediss.");
        }
        return errors.Count > before ? null : new RedisLocation(
            servers, tls, query.User is { Length: > 0 } user ? Uri.UnescapeDataString(user) : null, database, prefix.Length == 0 ? "" : prefix + "/", authorityFile);
    }

    private static List<(string Host, int Port)> Servers(string shown, string authority, List<string> errors)
    {
        var servers = new List<(string, int)>();
        foreach (var server in authority.Split(','))
        {
            // The scheme makes the Uri's parser read an IPv6 address as well.
            if (server.Length == 0 || !Uri.TryCreate("redis://" + server, UriKind.Absolute, out var parsed) || parsed.Host.Length == 0 || parsed.Port == 0 || servers.Count == ServersMax)
            {
                errors.Add($"cache.shared.url is \"{shown}\"; \"{server}\" is no host with a port. Write redis://HOST:{DefaultPort}, or up to {ServersMax} servers of a cluster between commas.");
                return [];
            }
            servers.Add((parsed.Host.Trim('[', ']'), parsed.Port < 0 ? DefaultPort : parsed.Port));
        }
        return servers;
    }

    [GeneratedRegex(@"^(?=.{1,256}\z)(?!.*(^|/)\.{1,2}(/|\z))[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*\z")]
    private static partial Regex PrefixPath();
}
