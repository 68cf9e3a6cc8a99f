using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class AdmissionSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<int>("admission.maxInFlight", "--max-in-flight", "Requests at a time; further ones queue.", true,
            o => o.MaxInFlight, (o, v) => o with { MaxInFlight = v }, Integer(1, 1 << 20)),
        new RouterSettingOf<int>("admission.maxQueue", "--max-queue", "Requests that wait for a place; one more is answered 429. 0: none wait.", true,
            o => o.MaxQueue, (o, v) => o with { MaxQueue = v }, Integer(0, 1 << 20)),
        new RouterSettingOf<int>("admission.maxQueuePerTenant", "--max-queue-per-tenant", "Of these, those of one tenant.", true,
            o => o.MaxQueuePerTenant, (o, v) => o with { MaxQueuePerTenant = v }, Integer(0, 1 << 20)),
        new RouterSettingOf<TimeSpan>("admission.queueTimeout", "--queue-timeout", "Longest wait for a place; then the answer is 429.", true,
            o => o.QueueTimeout, (o, v) => o with { QueueTimeout = v }, Time(0.001, 3600)),
        new RouterSettingOf<int>("admission.priorityTokens", "--priority-tokens", "How far one step of priority moves a request forward in the queue, in tokens.", true,
            o => o.PriorityTokens, (o, v) => o with { PriorityTokens = v }, Integer(0, 1 << 24)),
    ];
}
