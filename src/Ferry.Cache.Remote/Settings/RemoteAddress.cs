using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>The remote tier that a draft names, in the form that <see cref="RemoteTiers.Open"/> takes.</summary>
public static class RemoteAddress
{
    /// <summary>Null: no remote tier, or an error that is in the findings.</summary>
    public static string? Resolve(CacheDraft draft, FindingLog findings)
    {
        if (draft.RemoteUrl is not { } given)
        {
            if (draft.S3Endpoint is { } endpoint)
            {
                endpoint.Warn($"no effect: it has a meaning only beside an s3:// URL in {LmCacheSettings.Prefix}REMOTE_URL.");
            }
            return null;
        }
        var text = given.Text;
        var end = text.IndexOf("://", StringComparison.Ordinal);
        if (end <= 0)
        {
            given.Error($"{given.Name} is '{given.Shown}', which is no URL. A shared directory is file:///path, a bucket s3://HOST/BUCKET/.");
            return null;
        }
        var scheme = text[..end].ToLowerInvariant();
        if (!RemoteTiers.Schemes.Contains(scheme, StringComparer.OrdinalIgnoreCase))
        {
            findings.Refuse(given.Name, given.Shown, $"no shared tier: this build has {string.Join(", ", RemoteTiers.Schemes.Select(known => known + "://"))}, not {scheme}://.{NameHint.Of(scheme, RemoteTiers.Schemes)}", given.Place);
            return null;
        }
        return scheme switch
        {
            "s3" => ResolveS3(draft, given),
            "file" => ResolveDirectory(given),
            _ => RemoteTiers.FindError(text) is { } error ? Fail(given, error) : text,
        };
    }

    private static string? ResolveS3(CacheDraft draft, SettingValue given)
    {
        var address = S3Address.TryRead(given.Text, draft.S3Endpoint?.Text, draft.S3DisableTls, draft.S3PathStyle, out var error);
        if (address is null)
        {
            given.Error($"{given.Name} is '{given.Shown}': {error}");
            return null;
        }
        var prefix = string.Join('/', ((string?[])[address.Prefix, draft.S3Prefix]).Where(part => !string.IsNullOrEmpty(part)));
        List<string> query = [];
        if (address.Endpoint is { } endpoint)
        {
            query.Add($"endpoint={endpoint.GetLeftPart(UriPartial.Authority)}");
        }
        if (draft.S3Region is { } region)
        {
            query.Add($"region={Uri.EscapeDataString(region)}");
        }
        query.Add($"style={(address.PathStyle ? "path" : "virtual")}");
        given.Honour($"bucket {address.Bucket}{(prefix.Length > 0 ? $", prefix {prefix}" : "")} at {address.Endpoint?.GetLeftPart(UriPartial.Authority) ?? "Amazon S3"}, {(address.PathStyle ? "path style" : "virtual-hosted style")}.");
        return $"s3://{address.Bucket}{(prefix.Length > 0 ? "/" + prefix : "")}?{string.Join('&', query)}";
    }

    private static string? ResolveDirectory(SettingValue given)
    {
        if (!Uri.TryCreate(given.Text, UriKind.Absolute, out var url) || url.Host.Length > 0)
        {
            return Fail(given, $"'{url?.Host}' stands where a host would. Write file:///{url?.Host}{url?.AbsolutePath} for an absolute path.");
        }
        var path = url.LocalPath.TrimEnd('/');
        if (path.Length == 0)
        {
            return Fail(given, $"{given.Name} names the root directory. Give the shared tier a directory of its own.");
        }
        return new UriBuilder(Uri.UriSchemeFile, string.Empty) { Path = path }.Uri.AbsoluteUri;
    }

    private static string? Fail(SettingValue given, string text)
    {
        given.Error($"{given.Name} is '{given.Shown}': {text}");
        return null;
    }
}
