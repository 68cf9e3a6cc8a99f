using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>Decides every process of a cluster. What cannot work is an error, what works worse than it looks a warning.</summary>
internal sealed class ClusterPlanner
{
    private readonly PlanContext _context;
    private readonly IHandoverProfile _handover;
    private readonly VllmPlanner _vllm;
    private readonly FerryEnginePlanner _ferry;

    private ClusterPlanner(PlanContext context)
    {
        _context = context;
        _handover = HandoverProfiles.Of(context.Spec.Handover.Kind);
        _vllm = new VllmPlanner(context, _handover);
        _ferry = new FerryEnginePlanner(context);
    }

    /// <exception cref="RenderException">The description cannot be rendered as asked.</exception>
    public static DeploymentPlan Plan(RenderRequest request)
    {
        var context = new PlanContext(request);
        var planner = new ClusterPlanner(context);
        planner.Check();
        var nodes = request.Target == RenderTarget.Kubernetes ? planner.Groups() : planner.Machines();
        if (context.Errors.Count > 0)
        {
            throw new RenderException(context.Errors);
        }
        var spec = context.Spec;
        return new DeploymentPlan
        {
            Cluster = spec.Name,
            Summary = planner.Summary(),
            Nodes = nodes,
            Warnings = context.Warnings,
            Endpoint = $"http://{PlanContext.Endpoint(RouterPlanner.HostFor(context), spec.Router.Port)}",
            ModelName = spec.Model.ServedName ?? spec.Model.Id,
            Kubernetes = spec.Kubernetes,
            RoleServices = [.. new[] { context.RoleServiceOf(PoolRole.Prefill), context.RoleServiceOf(PoolRole.Decode) }.OfType<RoleService>()],
            EnginesUseHostNetwork = spec.Kubernetes.HostNetwork && !context.IsFerryOnly && planner._handover.UsesUcx && spec.Transport.Kind != TransportKind.Tcp,
        };
    }

    /// <summary>With nobody to hand KV to and no store to share, engines get no connector at all.</summary>
    private bool MovesKv => _context.Spec.IsDisaggregated || _context.Spec.Storage.Kind != StorageKind.None || _context.UsesExchange;

    private void Check()
    {
        var spec = _context.Spec;
        if (spec.Pools.Select(pool => pool.Engine.Kind).Distinct().Count() > 1 && spec.IsDisaggregated)
        {
            _context.Errors.Add("The pools have different engines: ferry serve hands KV over from its own exchange, vLLM through LMCache, and the two do not meet. Give all pools one engine.kind.");
        }
        if (!spec.PrefillPools.Any() || !spec.DecodePools.Any())
        {
            _context.Errors.Add($"No pool {(spec.PrefillPools.Any() ? "decodes" : "prefills")}: give one the role {(spec.PrefillPools.Any() ? "decode" : "prefill")} or both.");
        }
        var names = (_context.IsKubernetes ? spec.Pools.Select(pool => pool.Name) : spec.Nodes.Select(entry => entry.Node.Name)).ToList();
        var exchanges = names.Select(ExchangeSite.NameFor);
        foreach (var name in names.Intersect(["router", "prefill-nodes", "decode-nodes", .. exchanges, .. exchanges.Select(ExchangeSite.PodsOf)]))
        {
            _context.Errors.Add($"{(_context.IsKubernetes ? "A pool" : "A node")} is called {name}, as something that is rendered beside it. Give it another name.");
        }
        if (!_context.IsFerryOnly)
        {
            if (spec.Handover.Mode != HandoverMode.Pull)
            {
                _context.Errors.Add($"handover.mode is {SpecNames.Of(spec.Handover.Mode)}: only ferry serve's own exchange pushes. Leave the key out, or render with --engine ferry.");
            }
            if (spec.IsDisaggregated)
            {
                _handover.Check(_context);
            }
            CheckPeers();
            CheckS3Keys();
            return;
        }
        foreach (var pool in spec.Pools.Where(pool => pool.TensorParallel > 64))
        {
            _context.Errors.Add($"Pool {pool.Name}: tensorParallel is {pool.TensorParallel}; ferry serve has at most 64 logical ranks.");
        }
        if (spec.Handover.Kind != HandoverKind.Ferry && spec.IsDisaggregated)
        {
            _context.Warn($"handover.kind is {SpecNames.Of(spec.Handover.Kind)}; ferry serve hands over by its own exchange whatever that says.");
        }
        CheckS3Keys();
    }

    private void CheckPeers()
    {
        var exchanges = _context.Spec.Nodes.Count(entry => entry.Pool.Engine.Kind == EngineKind.Vllm);
        if (_context.UsesExchange && exchanges > ExchangePlanner.PeersMax + 1)
        {
            _context.Warn($"{exchanges} nodes have an exchange, and each asks {ExchangePlanner.PeersMax} others at most, those of the other side first: what the rest holds it finds {(_context.Spec.Storage.Kind == StorageKind.None ? "nowhere. Give them a shared tier (storage)" : "in the shared tier only, which is written behind")}.");
        }
    }

    private void CheckS3Keys()
    {
        if (_context.Spec.Storage.S3 is { } s3)
        {
            if (s3.AccessKey is null != s3.SecretKey is null)
            {
                _context.Errors.Add($"storage.s3 has {(s3.AccessKey is null ? "secretKey and no accessKey" : "accessKey and no secretKey")}: give both, or neither for the standard chain of AWS.");
            }
            if (s3.Endpoint.StartsWith("http:", StringComparison.Ordinal))
            {
                _context.Warn($"storage.s3.endpoint is {s3.Endpoint}: over plain http nothing but Ferry's checksums proves the payload, and anybody on the way can read it. Use https where the line is not trusted.");
            }
        }
    }

    /// <summary>A directory a machine: its exchange, its engine; and one for the router.</summary>
    private List<PlannedNode> Machines()
    {
        var exchanges = new ExchangePlanner(_context);
        var nodes = new List<PlannedNode>();
        foreach (var (pool, node) in _context.Spec.Nodes)
        {
            var processes = new List<PlannedProcess>();
            if (HasExchange(pool))
            {
                processes.Add(exchanges.Plan(new ExchangeSite(pool, node, IsKubernetes: false)));
            }
            processes.Add(Engine(pool, node, node.Name));
            nodes.Add(new PlannedNode(node.Name, node.Address, pool.Name, 1, [(node.Name, node.Labels)], processes));
        }
        nodes.Add(new PlannedNode("router", RouterPlanner.HostFor(_context), null, 1, [], [new RouterPlanner(_context).Plan()]));
        return nodes;
    }

    private bool HasExchange(PoolSpec pool) => _context.UsesExchange && pool.Engine.Kind == EngineKind.Vllm;

    /// <summary>A group a pool, one for its exchanges, and one for the router.</summary>
    private List<PlannedNode> Groups()
    {
        var groups = new List<PlannedNode>();
        foreach (var pool in _context.Spec.Pools)
        {
            (string, IReadOnlyDictionary<string, string>)[] machines = [.. pool.Nodes.Select(node => (node.Name, node.Labels))];
            if (HasExchange(pool))
            {
                var exchange = new ExchangePlanner(_context).Plan(new ExchangeSite(pool, pool.Nodes[0], IsKubernetes: true));
                groups.Add(new PlannedNode(exchange.Name, exchange.Name, pool.Name, pool.Nodes.Count, machines, [exchange]));
            }
            foreach (var node in pool.Nodes.Where(node => node.Port is { } port && port != pool.Port))
            {
                _context.Warn($"Node {node.Name}: its port {node.Port} is not used in Kubernetes, where every pod of pool {pool.Name} listens on {pool.Port}.");
            }
            var first = pool.Nodes[0] with { Port = null };
            groups.Add(new PlannedNode(pool.Name, pool.Name, pool.Name, pool.Nodes.Count, machines, [Engine(pool, first, pool.Name)]));
        }
        var router = new RouterPlanner(_context).Plan();
        groups.Add(new PlannedNode("router", "router", null, router.IsFerry ? _context.Spec.Router.Replicas : 1, [], [router]));   // LMCache's proxy keeps its requests' state to itself.
        return groups;
    }

    private PlannedProcess Engine(PoolSpec pool, NodeSpec node, string name) =>
        pool.Engine.Kind == EngineKind.Ferry ? _ferry.Plan(pool, node, name, MovesKv) : _vllm.Plan(pool, node, name, MovesKv);

    private string Summary()
    {
        var spec = _context.Spec;
        var pools = string.Join(", ", spec.Pools.Select(pool => $"{pool.Name} ({VllmPlanner.RoleText(pool.Role)}: {pool.Nodes.Count} × {SpecNames.Of(pool.Engine.Kind)} on {(pool.Engine.Kind == EngineKind.Ferry ? "CPU with the KV shape of " : "")}{pool.Accelerator}, TP {pool.TensorParallel})"));
        var way = _context.IsFerryOnly ? $"by ferry serve's own exchange: {ModeText(spec.Handover.Mode)}" : _handover.Summary;
        var store = spec.Storage.Kind == StorageKind.None ? "There is no shared tier." : $"Shared tier: {SharedStore.Url(spec)}.";
        return $"{spec.Model.Id} on {pools}. {(spec.IsDisaggregated ? $"KV is handed over {way}. " : "")}{store}";
    }

    private static string ModeText(HandoverMode mode) => mode switch
    {
        HandoverMode.Pull => "the decode node reads the prefill node's records under a lease",
        HandoverMode.Auto => "the decode node reads the prefill node's records under a lease, or they are pushed, whichever its requests have waited for least",
        _ => $"{SpecNames.TextOf(mode)}, and what is not there in time is read under a lease",
    };
}
