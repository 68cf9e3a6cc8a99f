using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>The remote tier that a draft names, checked.</summary>
public static class RemoteAddress
{
    /// <summary>Null: no remote tier, or an error that is in the findings.</summary>
    public static RemoteTierAddress? Resolve(CacheDraft draft, FindingLog findings)
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
        var address = new RemoteTierAddress(text)
        {
            S3Endpoint = draft.S3Endpoint?.Text,
            S3Region = draft.S3Region,
            S3PlainHttp = draft.S3DisableTls,
        };
        if (RemoteTiers.FindError(address.Url) is { } error)
        {
            given.Error(error);
            return null;
        }
        return address;
    }
}
