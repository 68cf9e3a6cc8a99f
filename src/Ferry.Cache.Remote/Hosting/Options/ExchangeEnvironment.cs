using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>Environment names of an exchange other than LMCache's.</summary>
public static class ExchangeEnvironment
{
    public static IReadOnlyList<Setting<ExchangeDraft>> All { get; } =
    [
        Secret("FERRY_RESP_PASSWORD", "TEXT", "none", "Like --resp-password-file.", (d, v) => d.RespPassword = v.Text),
        Secret("FERRY_ADMIN_TOKEN", "TEXT", "none", "Like --admin-token-file; the commands read it, too.", (d, v) => d.AdminToken = v.Text),
        Secret("AWS_ACCESS_KEY_ID", "TEXT", "none", "Credentials of an S3 tier, together with AWS_SECRET_ACCESS_KEY.", static (_, _) => { }),
        Secret("AWS_SECRET_ACCESS_KEY", "TEXT", "none", "See AWS_ACCESS_KEY_ID.", static (_, _) => { }),
        Secret("AWS_SESSION_TOKEN", "TEXT", "none", "Goes with short-lived credentials.", static (_, _) => { }),
        new("AWS_DEFAULT_REGION", "NAME", "default", "Region of an S3 tier; Ceph takes any. (LMCache itself never reads it.)", (d, v) => d.Cache.S3Region ??= v.Text),
        new("AWS_REGION", "NAME", "default", "Like AWS_DEFAULT_REGION.", (d, v) => d.Cache.S3Region ??= v.Text),
        new("AWS_PROFILE", "NAME", "default", "Section of the shared credentials file.", static (_, _) => { }),
        new("AWS_SHARED_CREDENTIALS_FILE", "FILE", "~/.aws/credentials", "The shared credentials file.", static (_, _) => { }),
    ];

    /// <summary>Names that begin so and are not known are refused: a password under a wrong name would leave the door open.</summary>
    internal static IReadOnlyList<string> WatchedPrefixes { get; } = ["FERRY_RESP", "FERRY_ADMIN", "FERRY_CACHE"];

    private static Setting<ExchangeDraft> Secret(string name, string value, string @default, string text, Action<ExchangeDraft, SettingValue> take) =>
        new(name, value, @default, text, take) { IsSecret = true };
}
