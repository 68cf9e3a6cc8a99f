using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>AWS' own environment names: the standard chain of credentials, and the region.</summary>
public static class AwsSettings
{
    /// <param name="cache">Where a command's draft keeps what is said of its tiers.</param>
    public static IEnumerable<Setting<TDraft>> Of<TDraft>(Func<TDraft, CacheDraft> cache) =>
    [
        Read<TDraft>("AWS_ACCESS_KEY_ID", "TEXT", "none", "Credentials of an S3 tier, together with AWS_SECRET_ACCESS_KEY.") with { IsSecret = true },
        Read<TDraft>("AWS_SECRET_ACCESS_KEY", "TEXT", "none", "See AWS_ACCESS_KEY_ID.") with { IsSecret = true },
        Read<TDraft>("AWS_SESSION_TOKEN", "TEXT", "none", "Goes with short-lived credentials.") with { IsSecret = true },
        Read<TDraft>("AWS_WEB_IDENTITY_TOKEN_FILE", "FILE", "none", "Token of an identity provider, for which a token service (STS) gives short-lived credentials; with AWS_ROLE_ARN. Read again for each of them."),
        Read<TDraft>("AWS_ROLE_ARN", "ARN", "none", "The role that the web identity takes."),
        Read<TDraft>("AWS_ROLE_SESSION_NAME", "NAME", "ferry", "What the token service's log calls the session."),
        Read<TDraft>("AWS_ENDPOINT_URL_STS", "URL", "the S3 endpoint", "The token service. Ceph's gateway is one itself; for a bucket at AWS it is that of the region."),
        new("AWS_DEFAULT_REGION", "NAME", "default", "Region of an S3 tier; Ceph takes any. (LMCache itself never reads it.)", (d, v) => cache(d).S3Region ??= v.Text),
        new("AWS_REGION", "NAME", "default", "Like AWS_DEFAULT_REGION.", (d, v) => cache(d).S3Region ??= v.Text),
        Read<TDraft>("AWS_PROFILE", "NAME", "default", "Section of the shared credentials file."),
        Read<TDraft>("AWS_SHARED_CREDENTIALS_FILE", "FILE", "~/.aws/credentials", "The shared credentials file."),
    ];

    /// <summary>One that the tier reads itself.</summary>
    private static Setting<TDraft> Read<TDraft>(string name, string value, string @default, string text) => new(name, value, @default, text, static (_, _) => { });
}
