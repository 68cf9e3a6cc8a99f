using System.Net;
using System.Text.RegularExpressions;
using Ferry.Cache.Tiers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.S3;

/// <summary>Reads the three forms in which people write where their bucket is.</summary>
/// <remarks>
/// <para><c>s3://bucket/prefix?endpoint=http://host:7480&amp;region=default&amp;style=path</c>: Ferry's own.</para>
/// <para><c>s3://host/bucket/prefix</c> with the endpoint given apart: the guide's. The URL's host is the endpoint's, so the bucket comes first in the path.</para>
/// <para><c>s3://bucket.host</c>: LMCache's, virtual-hosted over https.</para>
/// Anything that could be read in two ways is refused, with the form that works: a bucket taken for a part of a host is a cache that is silently elsewhere.
/// </remarks>
internal static partial class S3Url
{
    private const string DefaultRegion = "default"; // Ceph's own name for its only zone group.
    private static readonly string[] Known = ["endpoint", "region", "style", "ca"];

    /// <returns>Opens the tier; null when something was added to <paramref name="errors"/>.</returns>
    public static Func<TimeProvider, ILoggerFactory, IKvTier>? TryMake(string url, RemoteTierOptions options, List<string> errors)
    {
        if (TryParse(url, options.S3Endpoint, options.S3Region, options.PlainHttp, errors) is not { } location)
        {
            return null;
        }
        var bucket = new S3TierOptions
        {
            Location = location,
            CapacityBytes = options.CapacityBytes,
            ExpireAfter = options.ExpireAfter,
            CredentialsFile = options.CredentialsFile,
            Profile = options.Environment("AWS_PROFILE") is { Length: > 0 } profile ? profile : "default",
            Environment = options.Environment,
        };
        var wrong = bucket.Validate();
        errors.AddRange(wrong);
        return wrong.Count > 0 ? null : (time, loggers) => new S3Tier(bucket, time, loggers.CreateLogger<S3Tier>());
    }

    /// <param name="endpointSetting">LMCACHE_S3_ENDPOINT_URL; null for none.</param>
    /// <param name="regionSetting">AWS_DEFAULT_REGION or LMCache's s3_region; null for none.</param>
    /// <param name="plainHttp">LMCache's disable_tls: for a URL that names no endpoint.</param>
    /// <returns>Null when something was added to <paramref name="errors"/>.</returns>
    public static S3Location? TryParse(string url, string? endpointSetting, string? regionSetting, bool plainHttp, List<string> errors)
    {
        var before = errors.Count;
        var query = TierQuery.TryParse(url, Known, errors);
        if (query is null)
        {
            return null;
        }
        var shown = TierUrl.ForDisplay(url);
        if (query.User is not null)
        {
            errors.Add($"cache.shared.url \"{shown}\" holds a user before the @. Keys come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or a credentials file.");
        }
        var endpoint = FindEndpoint(shown, query, endpointSetting, errors);
        if (errors.Count > before)
        {
            return null;
        }
        var (place, wrong) = endpoint is null ? WithoutEndpoint(query, plainHttp) : WithEndpoint(query, endpoint);
        if (wrong is not null)
        {
            errors.Add($"cache.shared.url is \"{shown}\"; {wrong}");
            return null;
        }
        var region = query.Values.GetValueOrDefault("region") ?? regionSetting ?? DefaultRegion;
        Check(shown, query, place!, region, errors);
        return errors.Count > before ? null : new S3Location(
            place!.Endpoint, place.Bucket, place.Prefix.Length == 0 ? "" : place.Prefix + "/", region, IsPathStyle(query, place),
            query.Values.GetValueOrDefault("ca"));
    }

    private static Uri? FindEndpoint(string shown, TierQuery query, string? setting, List<string> errors)
    {
        var inUrl = query.Values.GetValueOrDefault("endpoint");
        if (inUrl is not null && setting is not null && inUrl.TrimEnd('/') != setting.TrimEnd('/'))
        {
            errors.Add($"cache.shared.url \"{shown}\" names the endpoint {TierUrl.ForDisplay(inUrl)}, LMCACHE_S3_ENDPOINT_URL names {TierUrl.ForDisplay(setting)}; they must agree, or one of them go.");
            return null;
        }
        var (text, name) = inUrl is not null ? (inUrl, "endpoint") : (setting, "LMCACHE_S3_ENDPOINT_URL");
        if (text is null)
        {
            return null;
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https") || endpoint.Host.Length == 0
            || endpoint.AbsolutePath != "/" || endpoint.Query.Length > 0 || endpoint.Fragment.Length > 0 || endpoint.UserInfo.Length > 0)
        {
            errors.Add($"{name} is \"{TierUrl.ForDisplay(text)}\"; it must be http://host:port or https://host:port and nothing more.");
            return null;
        }
        return endpoint;
    }

    private static (Place? Place, string? Wrong) WithEndpoint(TierQuery query, Uri endpoint)
    {
        var (authority, path) = (query.Authority, query.Path);
        if (Is(authority, endpoint.Host) || Is(authority, endpoint.Authority) || Is(authority, $"{endpoint.Host}:{endpoint.Port}"))
        {
            var (bucket, prefix) = FirstPart(path);
            return bucket.Length == 0
                ? (null, $"it names the endpoint and no bucket. Write s3://BUCKET?endpoint={Origin(endpoint)}.")
                : (new Place(endpoint, bucket, prefix, true), null);
        }
        foreach (var host in (string[])[endpoint.Host, $"{endpoint.Host}:{endpoint.Port}"])
        {
            if (authority.EndsWith("." + host, StringComparison.OrdinalIgnoreCase))
            {
                return (new Place(endpoint, authority[..^(host.Length + 1)], path, false), null);
            }
        }
        return authority.Contains(':', StringComparison.Ordinal)
            ? (null, $"its host {authority} is not the endpoint's, {endpoint.Authority}. Write s3://{BucketIn(path)}?endpoint={Origin(endpoint)}.")
            : (new Place(endpoint, authority, path, true), null);
    }

    private static (Place? Place, string? Wrong) WithoutEndpoint(TierQuery query, bool plainHttp)
    {
        var (authority, path) = (query.Authority, query.Path);
        var bare = !authority.Contains('.', StringComparison.Ordinal) && !authority.Contains(':', StringComparison.Ordinal);
        if (bare && query.Values.TryGetValue("region", out var region) && region != DefaultRegion)
        {
            return (new Place(new Uri($"https://s3.{region}.amazonaws.com"), authority, path, false), null);
        }
        if (bare)
        {
            return (null, $"it names no endpoint. Write s3://{(authority.Length > 0 ? authority : "BUCKET")}?endpoint=http://HOST:PORT, or set LMCACHE_S3_ENDPOINT_URL.");
        }
        var dot = authority.IndexOf('.', StringComparison.Ordinal);
        var scheme = plainHttp ? "http" : "https";
        if (path.Length > 0 || dot < 0 || IPAddress.TryParse(authority.Split(':')[0], out _))
        {
            return (null, $"whether {authority} is a host or begins with a bucket cannot be told. Write s3://{BucketIn(path)}?endpoint={scheme}://{authority}, "
                + $"or set LMCACHE_S3_ENDPOINT_URL={scheme}://{authority} beside it.");
        }
        var (bucket, host) = (authority[..dot], authority[(dot + 1)..]);
        return !host.Contains('.', StringComparison.Ordinal) && !host.Contains(':', StringComparison.Ordinal)
            || !Uri.TryCreate($"{scheme}://{host}", UriKind.Absolute, out var endpoint) || endpoint.AbsolutePath != "/"
            ? (null, $"whether {authority} is a bucket or bucket {bucket} at host {host} cannot be told. Write s3://{bucket}?endpoint={scheme}://{host}.")
            : (new Place(endpoint, bucket, "", false), null);
    }

    private static void Check(string shown, TierQuery query, Place place, string region, List<string> errors)
    {
        if (!BucketName().IsMatch(place.Bucket) || place.Bucket.Contains("..", StringComparison.Ordinal) || IPAddress.TryParse(place.Bucket, out _))
        {
            errors.Add($"cache.shared.url is \"{shown}\"; \"{place.Bucket}\" is no bucket's name: 3 to 63 small letters, digits, dots and hyphens, a letter or digit at both ends. "
                + $"Write s3://BUCKET?endpoint={Origin(place.Endpoint)}.");
        }
        if (place.Prefix.Length > 0 && !PrefixPath().IsMatch(place.Prefix))
        {
            errors.Add($"cache.shared.url is \"{shown}\"; the prefix \"{place.Prefix}\" must be at most 256 letters, digits and _ . - = in parts between single slashes.");
        }
        if (!RegionName().IsMatch(region))
        {
            errors.Add($"cache.shared.url \"{shown}\": the region \"{region}\" must be letters, digits and hyphens. Ceph takes {DefaultRegion}.");
        }
        if (query.Values.GetValueOrDefault("style") is { } style && style is not ("path" or "virtual"))
        {
            errors.Add($"cache.shared.url \"{shown}\": style is \"{style}\"; it must be path (http://host/bucket) or virtual (http://bucket.host).");
        }
        if (!IsPathStyle(query, place) && IPAddress.TryParse(place.Endpoint.Host.Trim('[', ']'), out _))
        {
            errors.Add($"cache.shared.url \"{shown}\": no bucket can stand before the address {place.Endpoint.Host}. Write style=path.");
        }
        if (!IsPathStyle(query, place) && place.Endpoint.Scheme == "https" && place.Bucket.Contains('.', StringComparison.Ordinal))
        {
            errors.Add($"cache.shared.url \"{shown}\": a certificate for *.{place.Endpoint.Host} does not cover a bucket with a dot. Write style=path.");
        }
        if (query.Values.GetValueOrDefault("ca") is { } authorityFile && (!Path.IsPathFullyQualified(authorityFile) || place.Endpoint.Scheme != "https"))
        {
            errors.Add($"cache.shared.url \"{shown}\": ca is \"{authorityFile}\"; it must be the absolute path of a PEM file, and the endpoint https.");
        }
    }

    private static bool IsPathStyle(TierQuery query, Place place) =>
        query.Values.GetValueOrDefault("style") is { } style ? style == "path" : place.IsPathStyle;

    private static (string Head, string Tail) FirstPart(string path) =>
        path.IndexOf('/') is var slash and >= 0 ? (path[..slash], path[(slash + 1)..].Trim('/')) : (path, "");

    private static string BucketIn(string path) => FirstPart(path).Head is { Length: > 0 } first ? first : "BUCKET";

    private static string Origin(Uri endpoint) => endpoint.GetLeftPart(UriPartial.Authority);

    private static bool Is(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    private static partial Regex BucketName();

    [GeneratedRegex(@"^(?=.{1,256}$)(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*$")]
    private static partial Regex PrefixPath();

    [GeneratedRegex("^[A-Za-z0-9-]{1,64}$")]
    private static partial Regex RegionName();

    private sealed record Place(Uri Endpoint, string Bucket, string Prefix, bool IsPathStyle);
}
