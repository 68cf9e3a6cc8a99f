using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>The remote tier that a draft names, checked.</summary>
public static class RemoteAddress
{
    /// <summary>Null: no remote tier, or an error that is in the findings.</summary>
    /// <param name="limits">Cap, expiry and credentials file, where they are said; the draft's own settings are added.</param>
    public static RemoteTierSettings? Resolve(CacheDraft draft, RemoteTierOptions limits, FindingLog findings)
    {
        if (draft.RemoteUrl is not { } given)
        {
            draft.S3Endpoint?.Warn($"no effect: it has a meaning only beside an s3:// URL in {LmCacheSettings.Prefix}REMOTE_URL.");
            return null;
        }
        var scheme = given.Text.IndexOf("://", StringComparison.Ordinal) is var end and > 0 ? given.Text[..end].ToLowerInvariant() : null;
        if (scheme is null)
        {
            given.Error($"{given.Name} is '{given.Shown}', which is no URL. A shared directory is file:///path, a bucket s3://BUCKET?endpoint=http://HOST:PORT.");
            return null;
        }
        if (!RemoteTiers.Schemes.Contains(scheme, StringComparer.OrdinalIgnoreCase))
        {
            findings.Refuse(given.Name, given.Shown, $"no shared tier: this build has {string.Join(", ", RemoteTiers.Schemes.Select(known => known + "://"))}, not {scheme}://.{NameHint.Of(scheme, RemoteTiers.Schemes)}", given.Place);
            return null;
        }
        var options = limits with { S3Endpoint = draft.S3Endpoint?.Text, S3Region = draft.S3Region, PlainHttp = draft.S3DisableTls };
        if (draft.S3AccessKey is { } access && draft.S3SecretKey is { } secret)
        {
            var others = options.Environment;
            options = options with { Environment = name => name switch { "AWS_ACCESS_KEY_ID" => access, "AWS_SECRET_ACCESS_KEY" => secret, _ => others(name) } };
        }
        var errors = RemoteTiers.Validate(given.Text, options);
        foreach (var error in errors)
        {
            given.Error(error);
        }
        return errors.Count == 0 ? new RemoteTierSettings(given.Text, options) : null;
    }
}
