using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class HealthSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<TimeSpan>("health.interval", "--health-interval", "Between two probes of a node.", true, o => o.HealthInterval, (o, v) => o with { HealthInterval = v }, Time(0.05, 3600)),
        new RouterSettingOf<TimeSpan>("health.timeout", "--health-timeout", "Longest wait for a probe's answer.", true, o => o.HealthTimeout, (o, v) => o with { HealthTimeout = v }, Time(0.01, 300)),
        new RouterSettingOf<int>("health.unhealthyAfter", "--unhealthy-after", "Probes in a row that must fail before a node gets nothing more.", true,
            o => o.UnhealthyAfter, (o, v) => o with { UnhealthyAfter = v }, Integer(1, 1000)),
        new RouterSettingOf<int>("health.healthyAfter", "--healthy-after", "Probes in a row that must succeed before it gets something again.", true,
            o => o.HealthyAfter, (o, v) => o with { HealthyAfter = v }, Integer(1, 1000)),
        new RouterSettingOf<bool>("health.readMetrics", "--read-node-metrics", "The probe also reads the node's /metrics: its running and waiting requests count as load.", true,
            o => o.ReadsNodeMetrics, (o, v) => o with { ReadsNodeMetrics = v }, Switch()),
        new RouterSettingOf<int>("health.sideChannelPort", "--side-channel-port", "Port of the NIXL side channel of prefill nodes, which the probe then asks, too; 0: only nodes with sideChannel.", true,
            o => o.SideChannelPort, (o, v) => o with { SideChannelPort = v }, Integer(0, 65_535)),
        new RouterSettingOf<int>("health.ejectAfter", "--eject-after", "Legs in a row that a node must fail before it is left out for a while.", true,
            o => o.EjectAfter, (o, v) => o with { EjectAfter = v }, Integer(1, 1000)),
        new RouterSettingOf<double>("health.ejectErrorRate", "--eject-error-rate", "Share of failed legs, of about the last hundred, from which a node is left out for a while.", true,
            o => o.EjectErrorRate, (o, v) => o with { EjectErrorRate = v }, Real(0.01, 1)),
        new RouterSettingOf<TimeSpan>("health.ejectTime", "--eject-time", "How long it is left out; doubles each time in a row, up to ten times this.", true,
            o => o.EjectTime, (o, v) => o with { EjectTime = v }, Time(0.01, 3600)),
        new RouterSettingOf<TimeSpan>("health.slowStart", "--slow-start", "A node that comes (back) takes this long to its full share.", true,
            o => o.SlowStart, (o, v) => o with { SlowStart = v }, Time(0, 3600)),
        new RouterSettingOf<int>("health.pairFailures", "--pair-failures", "Transfers in a row that a pair of nodes must fail before it is left out.", true,
            o => o.PairFailures, (o, v) => o with { PairFailures = v }, Integer(1, 1000)),
        new RouterSettingOf<TimeSpan>("health.pairOpenTime", "--pair-open-time", "How long a pair is left out before one request tries it again.", true,
            o => o.PairOpenTime, (o, v) => o with { PairOpenTime = v }, Time(0.01, 3600)),
        new RouterSettingOf<TimeSpan>("health.leaseTime", "--lease-time", "How long a prefill node holds KV that nobody fetches (vLLM's kv_lease_duration): a drain waits for it.", true,
            o => o.LeaseTime, (o, v) => o with { LeaseTime = v }, Time(0, 3600)),
    ];
}
