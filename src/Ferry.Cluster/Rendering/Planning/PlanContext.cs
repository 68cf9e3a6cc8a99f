using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>What the planners of one rendering share: the description after the request's replacements, addresses, ports, secrets, and what went wrong.</summary>
internal sealed class PlanContext
{
    private readonly Dictionary<NodeSpec, int> _places = new(ReferenceEqualityComparer.Instance);

    public PlanContext(RenderRequest request)
    {
        Target = request.Target;
        Spec = Replace(request);
        Secrets = new SecretBook(Spec);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (_, node) in Spec.Nodes)
        {
            _places[node] = seen.GetValueOrDefault(node.Address);
            seen[node.Address] = _places[node] + 1;
        }
    }

    public ClusterSpec Spec { get; }

    public RenderTarget Target { get; }

    public SecretBook Secrets { get; }

    public List<string> Errors { get; } = [];

    public List<string> Warnings { get; } = [];

    public bool IsKubernetes => Target == RenderTarget.Kubernetes;

    /// <summary>Every engine is Ferry's own: no exchange of its own process is needed, and every connector name means Ferry's.</summary>
    public bool IsFerryOnly => Spec.Pools.All(pool => pool.Engine.Kind == EngineKind.Ferry);

    /// <summary>KV goes through <c>ferry cache</c>: vLLM's engines meet there.</summary>
    public bool UsesExchange => Spec.Handover.Kind == HandoverKind.Ferry && !IsFerryOnly;

    /// <summary>Address that a node's processes listen on and tell others.</summary>
    public string OwnAddress(NodeSpec node) => IsKubernetes ? "$(POD_IP)" : node.Address;

    /// <summary>Address to bind: the node's own where that is known, every one of the pod in Kubernetes.</summary>
    public string ListenAddress(NodeSpec node) => IsKubernetes ? "0.0.0.0" : node.Address;

    /// <summary>How many earlier nodes stand on the same machine: ports that the description names once are counted up by it.</summary>
    public int Place(NodeSpec node) => IsKubernetes ? 0 : _places[node];

    /// <summary>Another node stands on the same machine.</summary>
    public bool SharesMachine(NodeSpec node) => !IsKubernetes && Spec.Nodes.Any(other => !ReferenceEquals(other.Node, node) && other.Node.Address == node.Address);

    public int SideChannelPort(NodeSpec node) => Spec.Handover.SideChannelPort + Place(node);

    public int RespPort(NodeSpec node) => Spec.Cache.RespPort + (2 * Place(node));

    public int AdminPort(NodeSpec node) => Spec.Cache.AdminPort + (2 * Place(node));

    /// <summary>HOST:PORT, with brackets around an IPv6 address.</summary>
    public static string Endpoint(string host, int port) =>
        host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]:{port}" : $"{host}:{port}";

    /// <summary>The pools of a role where Kubernetes needs one name for several of them; null where one pool has the role.</summary>
    public RoleService? RoleServiceOf(PoolRole role)
    {
        var pools = (role == PoolRole.Prefill ? Spec.PrefillPools : Spec.DecodePools).ToList();
        return IsKubernetes && pools.Count > 1 ? new RoleService($"{SpecNames.Of(role)}-nodes", role, pools[0].Port) : null;
    }

    public static bool IsLoopback(string address) => address is "localhost" or "127.0.0.1" or "::1";

    public void Warn(string warning)
    {
        if (!Warnings.Contains(warning))
        {
            Warnings.Add(warning);
        }
    }

    private static ClusterSpec Replace(RenderRequest request)
    {
        var spec = request.Spec;
        if (request.Engine is { } engine)
        {
            // Image, version and flags are another engine's.
            spec = spec with { Pools = [.. spec.Pools.Select(pool => pool.Engine.Kind == engine ? pool : pool with { Engine = new EngineSpec { Kind = engine } })] };
        }
        return request.Handover is { } handover ? spec with { Handover = spec.Handover with { Kind = handover } } : spec;
    }
}
