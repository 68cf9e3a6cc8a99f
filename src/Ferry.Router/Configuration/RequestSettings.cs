using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class RequestSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<long>("request.maxBodyBytes", "--max-body-bytes", "Longest request body.", true, o => o.MaxBodyBytes, (o, v) => o with { MaxBodyBytes = v }, Bytes(1024, 1L << 30)),
        new RouterSettingOf<TimeSpan>("request.prefillTimeout", "--prefill-timeout", "After this long a prefill leg is given up.", true,
            o => o.PrefillTimeout, (o, v) => o with { PrefillTimeout = v }, Time(0.1, 86_400)),
        new RouterSettingOf<int>("request.prefillAttempts", "--prefill-attempts", "Prefill nodes tried before the decode node gets the whole work.", true,
            o => o.PrefillAttempts, (o, v) => o with { PrefillAttempts = v }, Integer(1, 64)),
        new RouterSettingOf<TimeSpan>("request.connectTimeout", "--connect-timeout", "Longest wait for a connection to a node.", false,
            o => o.ConnectTimeout, (o, v) => o with { ConnectTimeout = v }, Time(0.05, 300)),
        new RouterSettingOf<int>("request.maxFanOut", "--max-fan-out", "Most prompts of one request that get a pair of legs each.", true,
            o => o.MaxFanOut, (o, v) => o with { MaxFanOut = v }, Integer(1, 65_536)),
        new RouterSettingOf<int>("request.fanOutConcurrency", "--fan-out-concurrency", "Pairs of legs of one request at a time.", true,
            o => o.FanOutConcurrency, (o, v) => o with { FanOutConcurrency = v }, Integer(1, 1024)),
    ];
}
