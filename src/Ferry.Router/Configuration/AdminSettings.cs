using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class AdminSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<string>("admin.host", "--admin-host", "Address of the admin server. One that is not loopback needs admin.tokenFile.", false,
            o => o.AdminHost, (o, v) => o with { AdminHost = v }, Text("HOST", "an address", text => text.Length > 0)),
        new RouterSettingOf<int>("admin.port", "--admin-port", "Port of the admin server; 0 takes a free one, -1 starts none.", false,
            o => o.AdminPort, (o, v) => o with { AdminPort = v }, Integer(-1, 65_535)),
        new RouterSettingOf<string>("admin.tokenFile", "--admin-token-file", "File with the token that admin requests must carry as a bearer token.", false,
            o => o.AdminTokenFile, (o, v) => o with { AdminTokenFile = v }, Text("FILE", "a path")),
        new RouterSettingOf<TimeSpan>("admin.drainTimeout", "--drain-timeout", "Longest time that a drain request waits for a node to be empty.", true,
            o => o.DrainTimeout, (o, v) => o with { DrainTimeout = v }, Time(0, 86_400)),
        new RouterSettingOf<string>("security.apiKeysFile", "--api-keys-file", "YAML file with hashed API keys and their limits, read again on reload; empty: no key is asked for.", true,
            o => o.ApiKeysFile, (o, v) => o with { ApiKeysFile = v }, Text("FILE", "a path")),
    ];
}
