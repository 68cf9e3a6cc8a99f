using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>Where the exchange of an engine runs: on the engine's own node.</summary>
/// <remarks>
/// An engine puts and gets beside itself, and exchanges read from each other: a decode node's asks those of the prefill nodes for what it lacks when its leg begins.
/// In Kubernetes the exchanges of a pool are a workload of their own, a pod a machine, so that they outlive an engine that restarts; a Service of which each
/// machine reaches its own pod alone stands before them.
/// </remarks>
/// <param name="Pool">Pool whose cache sizes the exchange has.</param>
/// <param name="Node">Node on which it runs; in Kubernetes the first of its pool stands for all.</param>
internal sealed record ExchangeSite(PoolSpec Pool, NodeSpec Node, bool IsKubernetes)
{
    /// <summary>Name of its container, workload and Service.</summary>
    public string Name => NameFor(IsKubernetes ? Pool.Name : Node.Name);

    public static string NameFor(string owner) => $"{owner}-exchange";

    /// <summary>Name of the headless Service that gives each pod of the workload a name.</summary>
    public static string PodsOf(string workload) => $"{workload}-pods";

    /// <summary>Where the engine beside it reaches it.</summary>
    public string Endpoint(PlanContext context) => PlanContext.Endpoint(IsKubernetes ? Name : Node.Address, context.RespPort(Node));

    /// <summary>The exchanges that this one asks: those of the other side first, where a prompt most likely is. In Kubernetes all pods of a pool get one list, in which each finds itself.</summary>
    public IReadOnlyList<string> Peers(PlanContext context)
    {
        var all = context.Spec.Nodes.Where(entry => entry.Pool.Engine.Kind == EngineKind.Vllm).ToList();
        return all.Count == 1 ? [] :
        [
            .. all.Where(other => IsKubernetes || !ReferenceEquals(other.Node, Node)).OrderBy(other => other.Pool.Role == Pool.Role)
                .Select(other => PlanContext.Endpoint(IsKubernetes ? PodName(other.Pool, other.Node) : other.Node.Address, context.RespPort(other.Node))),
        ];
    }

    private static string PodName(PoolSpec pool, NodeSpec node)
    {
        var workload = NameFor(pool.Name);
        var index = pool.Nodes.TakeWhile(one => !ReferenceEquals(one, node)).Count();
        return $"{workload}-{index}.{PodsOf(workload)}";
    }
}
