using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>Environment names of an exchange other than LMCache's.</summary>
public static class ExchangeEnvironment
{
    public static IReadOnlyList<Setting<ExchangeDraft>> All { get; } =
    [
        Secret("FERRY_RESP_PASSWORD", "TEXT", "none", "Like --resp-password-file.", (d, v) => d.RespPassword = v.Text),
        Secret("FERRY_ADMIN_TOKEN", "TEXT", "none", "Like --admin-token-file; the commands read it, too.", (d, v) => d.AdminToken = v.Text),
        .. AwsSettings.Of<ExchangeDraft>(static draft => draft.Cache),
    ];

    /// <summary>Names that begin so and are not known are refused: a password under a wrong name would leave the door open.</summary>
    internal static IReadOnlyList<string> WatchedPrefixes { get; } = ["FERRY_RESP", "FERRY_ADMIN", "FERRY_CACHE"];

    private static Setting<ExchangeDraft> Secret(string name, string value, string @default, string text, Action<ExchangeDraft, SettingValue> take) =>
        new(name, value, @default, text, take) { IsSecret = true };
}
