using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class DiscoverySettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<string>("discovery.file", "--nodes-file", "YAML file with the lists prefill and decode, read again when it changes.", false,
            o => o.NodesFile, (o, v) => o with { NodesFile = v }, Text("FILE", "a path")),
        new RouterSettingOf<TimeSpan>("discovery.interval", "--discovery-interval", "Between two looks at the files and at DNS.", true,
            o => o.DiscoveryInterval, (o, v) => o with { DiscoveryInterval = v }, Time(0.05, 3600)),
        new RouterSettingOf<string>("discovery.dns.prefill", "--prefill-dns", "host:port; every address of the host is a prefill node.", false,
            o => o.PrefillDns, (o, v) => o with { PrefillDns = v }, Text("HOST:PORT", "host:port", PrefixSettings.IsHostAndPort)),
        new RouterSettingOf<string>("discovery.dns.decode", "--decode-dns", "host:port; every address of the host is a decode node.", false,
            o => o.DecodeDns, (o, v) => o with { DecodeDns = v }, Text("HOST:PORT", "host:port", PrefixSettings.IsHostAndPort)),
        new RouterSettingOf<string>("discovery.kubernetes.prefillService", "--prefill-service", "Service whose EndpointSlices are the prefill nodes.", false,
            o => o.PrefillService, (o, v) => o with { PrefillService = v }, Text("NAME", "the name of a service")),
        new RouterSettingOf<string>("discovery.kubernetes.decodeService", "--decode-service", "Service whose EndpointSlices are the decode nodes.", false,
            o => o.DecodeService, (o, v) => o with { DecodeService = v }, Text("NAME", "the name of a service")),
        new RouterSettingOf<string>("discovery.kubernetes.namespace", "--kubernetes-namespace", "Namespace of these services; empty: the pod's own.", false,
            o => o.KubernetesNamespace, (o, v) => o with { KubernetesNamespace = v }, Text("NAME", "a namespace")),
        new RouterSettingOf<string>("discovery.kubernetes.port", "--kubernetes-port", "Name of the slices' port; empty: their first.", false,
            o => o.KubernetesPort, (o, v) => o with { KubernetesPort = v }, Text("NAME", "the name of a port")),
        new RouterSettingOf<string>("discovery.kubernetes.addressFamily", "--kubernetes-address-family", "Address that a pod of a dual-stack service is reached by; a pod with only the other has that.", false,
            o => o.KubernetesAddressFamily, (o, v) => o with { KubernetesAddressFamily = v }, OneOf("ipv4|ipv6", () => ["ipv4", "ipv6"])),
        new RouterSettingOf<string>("discovery.kubernetes.api", "--kubernetes-api", "URL of the API server; empty: as the pod's service account says.", false,
            o => o.KubernetesApi, (o, v) => o with { KubernetesApi = v }, Text("URL", "an http or https URL", IsUrl)),
    ];

    private static bool IsUrl(string text) => text.Length == 0 || (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https"));
}
