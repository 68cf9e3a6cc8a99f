using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>What stands in front of the pools: <c>ferry route</c>, or LMCache's proxy in its PD mode.</summary>
internal sealed class RouterPlanner(PlanContext context)
{
    /// <summary>LMCache's proxy, which no image holds.</summary>
    public const string ProxyScript = "disagg_proxy_server.py";

    private const string ConfigurationPath = "/etc/ferry/router.yaml";
    private const string KeysPath = "/etc/ferry/api-keys.yaml";
    private const int NeverDisaggregated = 1 << 24;                             // The limit of disaggregation.minPromptTokens.
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(30);

    /// <summary>Address of the router's machine, or the name of its Service.</summary>
    public static string HostFor(PlanContext context) => context.IsKubernetes ? "router" : context.Spec.Router.Address ?? context.Spec.Pools[0].Nodes[0].Address;

    public PlannedProcess Plan() => context.Spec.Handover.Kind == HandoverKind.LmcachePd && !context.IsFerryOnly ? Proxy() : FerryRoute();

    private PlannedProcess FerryRoute()
    {
        var router = context.Spec.Router;
        return new PlannedProcess
        {
            Name = "router",
            Kind = PlannedKind.Router,
            Purpose = "the only address that clients need",
            Image = context.Spec.Cache.Image,
            Program = "ferry",
            IsFerry = true,
            Arguments = [PlannedArgument.Of("route"), PlannedArgument.Because("every setting of the router; read again when it changes", "--config", ConfigurationPath)],
            Files = [new PlannedFile("router.yaml", ConfigurationPath, Configuration())],
            Mounts = router.ApiKeys is { } keys ? [KeysMount(keys)] : [],
            Ports = [new PlannedPort("http", router.Port, PortCallers.Clients | PortCallers.Monitoring)],
            Health = new PlannedProbe(router.Port, "/ping", StartsWithin) { ReadyPath = "/health" },   // healthy: it has nodes to send to
            MetricsPort = router.Port,
            MemoryBytes = 2L << 30,                                             // 256 MiB of index, bodies under way, and room.
            MemoryNeedBytes = 1L << 30,
            StopsWithin = StopsWithin,
        };
    }

    /// <summary>The router reads a file of hashes; in Kubernetes that is a key of a Secret.</summary>
    private PlannedMount KeysMount(SecretSpec keys)
    {
        var path = keys.File ?? (keys.Docker is { } docker ? $"/run/secrets/{docker}" : null);
        var secret = keys.Kubernetes is { } place ? (place.Name, place.Key) : ($"{context.Spec.Name}-secrets", "api-keys.yaml");
        if (!context.IsKubernetes && path is null)
        {
            context.Errors.Add("router.apiKeys must name a file here: the router reads a file of hashed keys (ferry route --new-api-key NAME prints an entry). Give file:.");
        }
        return new PlannedMount("api-keys", path ?? "/dev/null", KeysPath, IsReadOnly: true, 0, "hashed API keys") { SecretFile = secret };
    }

    private string Configuration()
    {
        var spec = context.Spec;
        var router = spec.Router;
        var map = new YamlMap
        {
            { "listen", new YamlMap { { "host", context.IsKubernetes ? "0.0.0.0" : HostFor(context) }, { "port", router.Port } } },
            { "admin", new YamlMap { { "host", "127.0.0.1" }, { "port", router.AdminPort } }, "State, drain and reload, for this host only." },
            { "policy", SpecNames.Of(router.Policy), "How the prefill node is chosen, and the decode node." },
            { "decodePolicy", router.Policy == RouterPolicy.PrefixAware ? "least-loaded" : SpecNames.Of(router.Policy) },
        };
        AddNodes(map);
        map.Add("request", new YamlMap { { "connector", Connector() } }, ConnectorComment());
        if (!spec.IsDisaggregated)
        {
            map.Add("disaggregation", new YamlMap { { "minPromptTokens", NeverDisaggregated } }, "Every node does both, so no prompt goes to two of them.");
        }
        else if (router.MinPromptTokens > 0)
        {
            map.Add("disaggregation", new YamlMap { { "minPromptTokens", router.MinPromptTokens } }, "Shorter prompts are computed where they are decoded.");
        }
        if (HandsOverByParameters)
        {
            var health = new YamlMap { { "leaseTime", $"{(AsksSideChannel ? NixlHandover.LeaseSeconds(context) : context.Spec.Handover.LeaseSeconds):0.###}s" } };
            if (AsksSideChannel && context.IsKubernetes)
            {
                health.Add("sideChannelPort", context.Spec.Handover.SideChannelPort, "The probe asks it, too: vLLM answers 200 before it can hand KV over.");
            }
            map.Add("health", health, "As long as a prefill node holds KV that nobody fetches: a drain waits for it.");
        }
        if (Sizes.KvBytesPerToken(spec.Model) is { } bytes && router.Policy == RouterPolicy.CostBased)
        {
            map.Add("cost", new YamlMap { { "kvBytesPerToken", $"{bytes}" } }, "KV of one token: all layers and ranks.");
        }
        if (router.ApiKeys is not null)
        {
            map.Add("security", new YamlMap { { "apiKeysFile", KeysPath } });
        }
        return YamlPrinter.Print(map, $"The router of cluster {spec.Name}: ferry route --config router.yaml --check says whether it is good.");
    }

    private bool HandsOverByParameters => context.IsFerryOnly || context.Spec.Handover.Kind == HandoverKind.Nixl;

    private string Connector() => context.IsFerryOnly ? "ferry" : context.Spec.Handover.Kind == HandoverKind.Nixl ? "nixl-pull" : "lmcache";

    private string ConnectorComment() => Connector() switch
    {
        "lmcache" => "Both sides find KV in the exchange by its content: no parameters go between the legs.",
        "ferry" => "The prefill node's answer carries the lease under which the decode node reads.",
        _ => "The prefill node's answer says where its blocks are.",
    };

    private void AddNodes(YamlMap map)
    {
        if (context.IsKubernetes)
        {
            // Only pods that are ready stand in the DNS of a headless Service.
            map.Add("discovery", new YamlMap
            {
                { "dns", new YamlMap { { "prefill", Discovered(PoolRole.Prefill, context.Spec.PrefillPools) }, { "decode", Discovered(PoolRole.Decode, context.Spec.DecodePools) } } },
            }, "Every address of these Services is a node.");
            return;
        }
        map.Add("prefill", new YamlList(Nodes(context.Spec.PrefillPools, AsksSideChannel)), AsksSideChannel ? "The probe asks the side channel, too: vLLM answers 200 before it can hand KV over." : null);
        map.Add("decode", new YamlList(Nodes(context.Spec.DecodePools, asksSideChannel: false)));
    }

    /// <summary>NAME:PORT of the Service whose addresses are the nodes of a role.</summary>
    private string Discovered(PoolRole role, IEnumerable<PoolSpec> pools)
    {
        var first = pools.First();
        foreach (var pool in pools.Where(pool => pool.Port != first.Port))
        {
            context.Errors.Add($"Pool {pool.Name}: its port is {pool.Port} and that of pool {first.Name} {first.Port}. In Kubernetes the router finds all pools that {(role == PoolRole.Prefill ? "prefill" : "decode")} under one name: give them one port.");
        }
        return context.RoleServiceOf(role) is { } service ? $"{service.Name}:{service.Port}" : $"{first.Name}:{first.Port}";
    }

    private bool AsksSideChannel => Connector() == "nixl-pull";

    private IEnumerable<YamlNode> Nodes(IEnumerable<PoolSpec> pools, bool asksSideChannel)
    {
        foreach (var (pool, node) in pools.SelectMany(pool => pool.Nodes.Select(node => (pool, node))))
        {
            var url = $"http://{PlanContext.Endpoint(node.Address, ClusterSpec.PortOf(pool, node))}";
            yield return asksSideChannel
                ? new YamlMap { { "url", url }, { "sideChannel", $"tcp://{PlanContext.Endpoint(node.Address, context.SideChannelPort(node))}" } }
                : url;
        }
    }

    private PlannedProcess Proxy()
    {
        var (spec, port) = (context.Spec, context.Spec.Router.Port);
        var host = context.IsKubernetes ? "0.0.0.0" : HostFor(context);
        var receiver = spec.DecodePools.First();
        var ports = (int first) => string.Join(',', Enumerable.Range(first, receiver.TensorParallel));
        return new PlannedProcess
        {
            Name = "router",
            Kind = PlannedKind.Router,
            Purpose = "LMCache's proxy: tells each sender its receiver, and waits for its word",
            Image = spec.Pools[0].Engine.Image ?? spec.ProfileOf(spec.Pools[0]).Image.Replace("{version}", spec.Pools[0].Engine.Version ?? VllmPlanner.VersionPlaceholder, StringComparison.Ordinal),
            Program = "python3",
            Arguments =
            [
                PlannedArgument.Of($"/opt/proxy/{ProxyScript}"),
                PlannedArgument.Of("--host", host),
                PlannedArgument.Of("--port", $"{port}"),
                PlannedArgument.Of("--prefiller-host", Hosts(spec.PrefillPools)),
                PlannedArgument.Of("--prefiller-port", EnginePorts(spec.PrefillPools)),
                PlannedArgument.Of("--decoder-host", Hosts(spec.DecodePools)),
                PlannedArgument.Of("--decoder-port", EnginePorts(spec.DecodePools)),
                PlannedArgument.Because("one port a rank, as the receivers have them", "--decoder-init-port", ports(spec.Handover.PdInitPort)),
                PlannedArgument.Of("--decoder-alloc-port", ports(spec.Handover.PdAllocPort)),
                PlannedArgument.Because("where senders say that a prompt's chunks have been sent", "--proxy-host", host),
                PlannedArgument.Of("--proxy-port", $"{spec.Handover.PdProxyPort}"),
            ],
            Mounts = [new PlannedMount("proxy", $"./{ProxyScript}", $"/opt/proxy/{ProxyScript}", IsReadOnly: true, 0, "from LMCache's sources, of the image's version: examples/disagg_prefill") { ConfigFile = ("lmcache-proxy", ProxyScript) }],
            Ports = [new PlannedPort("http", port, PortCallers.Clients), new PlannedPort("notify", spec.Handover.PdProxyPort, PortCallers.Engines)],
            Health = new PlannedProbe(port, "/openapi.json", StartsWithin),
            MetricsPort = 0,
            StopsWithin = StopsWithin,
        };
    }

    private string Hosts(IEnumerable<PoolSpec> pools) =>
        string.Join(',', context.IsKubernetes ? pools.Select(pool => pool.Name) : pools.SelectMany(pool => pool.Nodes).Select(node => node.Address));

    private string EnginePorts(IEnumerable<PoolSpec> pools) =>
        string.Join(',', context.IsKubernetes ? pools.Select(pool => pool.Port) : pools.SelectMany(pool => pool.Nodes.Select(node => ClusterSpec.PortOf(pool, node))));
}
