namespace Ferry.Cache.Remote.Settings;

/// <summary>Which bucket an S3 URL means, whatever form it was written in.</summary>
/// <param name="Endpoint">http or https, without a path; null: Amazon's own, by region.</param>
/// <param name="Prefix">Put in front of every object's name; empty for none.</param>
/// <param name="PathStyle">True: ENDPOINT/BUCKET/object; false: BUCKET.ENDPOINT/object.</param>
internal sealed record S3Address(Uri? Endpoint, string Bucket, string Prefix, bool PathStyle)
{
    private const string Forms = "s3://HOST/BUCKET/, s3://BUCKET.HOST (LMCache's form) or s3://BUCKET?endpoint=http://HOST:PORT";

    /// <summary>Reads a URL of any of the known forms.</summary>
    /// <param name="endpoint">LMCACHE_S3_ENDPOINT_URL, or null.</param>
    /// <param name="disableTls">http where nothing names a scheme.</param>
    /// <param name="pathStyle">Null: by the form.</param>
    public static S3Address? TryRead(string text, string? endpoint, bool disableTls, bool? pathStyle, out string? error)
    {
        error = null;
        var query = text.IndexOf('?', StringComparison.Ordinal);
        var values = query < 0 ? [] : Query(text[(query + 1)..]);
        var rest = text["s3://".Length..(query < 0 ? text.Length : query)];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? rest : rest[..slash];
        var path = slash < 0 ? "" : rest[(slash + 1)..].Trim('/');
        var endpointText = values.GetValueOrDefault("endpoint") ?? endpoint;
        Uri? server = null;
        if (host.Length == 0 || host.Contains('@', StringComparison.Ordinal))
        {
            error = $"it names no bucket, or holds credentials, which belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Write {Forms}.";
            return null;
        }
        if (endpointText is not null && !TryEndpoint(endpointText, out server))
        {
            error = $"its endpoint is '{endpointText}'; it must be http:// or https:// with a host and nothing behind the port, for example http://127.0.0.1:7480.";
            return null;
        }
        return server is not null ? WithEndpoint(server, host, path, pathStyle, out error) : WithoutEndpoint(host, path, disableTls, pathStyle, out error);
    }

    private static S3Address? WithEndpoint(Uri server, string host, string path, bool? pathStyle, out string? error)
    {
        error = null;
        var isServer = host.Equals(server.Host, StringComparison.OrdinalIgnoreCase) || host.Equals(server.Authority, StringComparison.OrdinalIgnoreCase);
        var name = host.Split(':')[0];
        if (!isServer)
        {
            var isVirtual = name.EndsWith("." + server.Host, StringComparison.OrdinalIgnoreCase);
            return isVirtual
                ? new S3Address(server, name[..^(server.Host.Length + 1)], path, pathStyle ?? false)
                : new S3Address(server, host, path, pathStyle ?? true);
        }
        // The guide's form: the host of the endpoint, then the bucket.
        return FirstIsBucket(server, path, pathStyle, out error);
    }

    private static S3Address? WithoutEndpoint(string host, string path, bool disableTls, bool? pathStyle, out string? error)
    {
        error = null;
        var isHost = host.Contains('.', StringComparison.Ordinal) || host.Contains(':', StringComparison.Ordinal) || host == "localhost";
        if (!isHost)
        {
            return new S3Address(null, host, path, pathStyle ?? false);
        }
        var scheme = disableTls ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        if (path.Length > 0)
        {
            return TryEndpoint($"{scheme}://{host}", out var server) ? FirstIsBucket(server, path, pathStyle, out error) : Bad(host, out error);
        }
        var dot = host.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || !TryEndpoint($"{scheme}://{host[(dot + 1)..]}", out var parent))
        {
            return Bad(host, out error);
        }
        return new S3Address(parent, host[..dot], "", pathStyle ?? false);
    }

    private static S3Address? FirstIsBucket(Uri server, string path, bool? pathStyle, out string? error)
    {
        error = null;
        if (path.Length == 0)
        {
            error = $"it names the server and no bucket. Write {Forms}.";
            return null;
        }
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return new S3Address(server, slash < 0 ? path : path[..slash], slash < 0 ? "" : path[(slash + 1)..], pathStyle ?? true);
    }

    private static S3Address? Bad(string host, out string? error)
    {
        error = $"'{host}' is no server with a bucket in front. Write {Forms}.";
        return null;
    }

    private static bool TryEndpoint(string text, out Uri server) =>
        Uri.TryCreate(text, UriKind.Absolute, out server!) && (server.Scheme == Uri.UriSchemeHttp || server.Scheme == Uri.UriSchemeHttps)
        && server.AbsolutePath == "/" && server.Query.Length == 0 && server.UserInfo.Length == 0;

    private static Dictionary<string, string> Query(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            values[equals < 0 ? pair : pair[..equals]] = equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..]);
        }
        return values;
    }
}
