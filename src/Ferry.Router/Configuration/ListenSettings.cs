using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class ListenSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<string>("listen.host", "--host", "Address to listen on.", false, o => o.Host, (o, v) => o with { Host = v }, Text("HOST", "an address", text => text.Length > 0)),
        new RouterSettingOf<int>("listen.port", "--port", "Port to listen on; 0 takes a free one.", false, o => o.Port, (o, v) => o with { Port = v }, Integer(0, 65535)),
    ];
}
