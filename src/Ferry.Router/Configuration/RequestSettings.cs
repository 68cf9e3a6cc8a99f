using Ferry.Router.Connectors;
using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class RequestSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<string>("request.connector", "--connector", "How KV meets: auto takes it from the prefill node's answer.", false,
            o => o.Forwarding.Connector, (o, v) => o with { Forwarding = o.Forwarding with { Connector = v } }, OneOf("NAME", () => ConnectorProfiles.Names)),
        new RouterSettingOf<bool>("request.requireTransfer", "--require-transfer", "Answer 502 when the prefill leg brought no KV to hand over.", true,
            o => o.Forwarding.RequireTransfer, (o, v) => o with { Forwarding = o.Forwarding with { RequireTransfer = v } }, Switch()),
        new RouterSettingOf<bool>("request.allowDecodeOnly", "--allow-decode-only", "Let the decode node do the whole request when no prefill node does its leg.", true,
            o => o.Forwarding.AllowDecodeOnly, (o, v) => o with { Forwarding = o.Forwarding with { AllowDecodeOnly = v } }, Switch()),
        new RouterSettingOf<IReadOnlyList<PushTarget>>("request.pushTargets", "--push-targets", "Push connectors of prefill nodes, comma-separated: their requests start both legs together.", false,
            o => o.Forwarding.PushTargets, (o, v) => o with { Forwarding = o.Forwarding with { PushTargets = v } }, PathValues.PushTargets),
        new RouterSettingOf<IReadOnlyList<System.Net.IPNetwork>>("request.prefillerHeaderPeers", "--prefiller-header-peers", "Networks whose header x-prefiller-host-port is followed, comma-separated.", true,
            o => o.Forwarding.PrefillerHeaderPeers, (o, v) => o with { Forwarding = o.Forwarding with { PrefillerHeaderPeers = v } }, PathValues.Networks),
        new RouterSettingOf<long>("request.maxBodyBytes", "--max-body-bytes", "Longest request body.", true, o => o.MaxBodyBytes, (o, v) => o with { MaxBodyBytes = v }, Bytes(1024, 1L << 30)),
        new RouterSettingOf<TimeSpan>("request.prefillTimeout", "--prefill-timeout", "After this long a prefill leg is given up.", true,
            o => o.Forwarding.PrefillTimeout, (o, v) => o with { Forwarding = o.Forwarding with { PrefillTimeout = v } }, Time(0.1, 86_400)),
        new RouterSettingOf<int>("request.prefillAttempts", "--prefill-attempts", "Prefill nodes tried before the decode node gets the whole work.", true,
            o => o.Forwarding.PrefillAttempts, (o, v) => o with { Forwarding = o.Forwarding with { PrefillAttempts = v } }, Integer(1, 64)),
        new RouterSettingOf<int>("request.decodeAttempts", "--decode-attempts", "Decode legs tried before the client gets the error.", true,
            o => o.Forwarding.DecodeAttempts, (o, v) => o with { Forwarding = o.Forwarding with { DecodeAttempts = v } }, Integer(1, 64)),
        new RouterSettingOf<TimeSpan>("request.retryPause", "--retry-pause", "Before a node that has just failed is tried again because there is no other.", true,
            o => o.Forwarding.RetryPause, (o, v) => o with { Forwarding = o.Forwarding with { RetryPause = v } }, Time(0, 60)),
        new RouterSettingOf<TimeSpan>("request.answerTimeout", "--answer-timeout", "Longest wait for the first byte of a decode leg.", true,
            o => o.Forwarding.AnswerTimeout, (o, v) => o with { Forwarding = o.Forwarding with { AnswerTimeout = v } }, Time(0.1, 86_400)),
        new RouterSettingOf<TimeSpan>("request.idleTimeout", "--idle-timeout", "Longest pause after the first byte, of the node or of the client.", true,
            o => o.Forwarding.IdleTimeout, (o, v) => o with { Forwarding = o.Forwarding with { IdleTimeout = v } }, Time(0.1, 86_400)),
        new RouterSettingOf<TimeSpan>("request.timeout", "--request-timeout", "Longest request at all.", true,
            o => o.Forwarding.RequestTimeout, (o, v) => o with { Forwarding = o.Forwarding with { RequestTimeout = v } }, Time(0.1, 30 * 86_400)),
        new RouterSettingOf<TimeSpan>("request.connectTimeout", "--connect-timeout", "Longest wait for a connection to a node.", false,
            o => o.Forwarding.ConnectTimeout, (o, v) => o with { Forwarding = o.Forwarding with { ConnectTimeout = v } }, Time(0.05, 300)),
        new RouterSettingOf<int>("request.maxFanOut", "--max-fan-out", "Most prompts times choices of one request that get a pair of legs each.", true,
            o => o.Forwarding.MaxFanOut, (o, v) => o with { Forwarding = o.Forwarding with { MaxFanOut = v } }, Integer(1, 65_536)),
        new RouterSettingOf<int>("request.fanOutConcurrency", "--fan-out-concurrency", "Pairs of legs of one request at a time.", true,
            o => o.Forwarding.FanOutConcurrency, (o, v) => o with { Forwarding = o.Forwarding with { FanOutConcurrency = v } }, Integer(1, 1024)),
        new RouterSettingOf<int>("request.maxPrefillReplyBytes", "--max-prefill-reply-bytes", "Longest reply of a prefill leg.", true,
            o => o.Forwarding.MaxPrefillReplyBytes, (o, v) => o with { Forwarding = o.Forwarding with { MaxPrefillReplyBytes = v } }, Integer(1024, 1 << 30)),
        new RouterSettingOf<int>("request.maxInspectedAnswerBytes", "--max-inspected-answer-bytes", "Longest answer in one piece that is looked into.", true,
            o => o.Forwarding.MaxInspectedAnswerBytes, (o, v) => o with { Forwarding = o.Forwarding with { MaxInspectedAnswerBytes = v } }, Integer(1024, 1 << 30)),
        new RouterSettingOf<int>("request.maxEventBytes", "--max-event-bytes", "Longest line of an event stream that is looked into.", true,
            o => o.Forwarding.MaxEventBytes, (o, v) => o with { Forwarding = o.Forwarding with { MaxEventBytes = v } }, Integer(1024, 1 << 26)),
    ];
}
