using System.Text.Json.Nodes;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>One way in which vLLM's engines hand KV over: what it adds to each engine.</summary>
internal interface IHandoverProfile
{
    /// <summary>How KV moves, as the end of "KV is handed over …".</summary>
    string Summary { get; }

    /// <summary>UCX carries KV: RDMA networks need their devices in the containers.</summary>
    bool UsesUcx { get; }

    /// <summary>Reports what cannot work, as errors or warnings of the context.</summary>
    void Check(PlanContext context);

    /// <summary>The value of <c>--kv-transfer-config</c>.</summary>
    JsonObject TransferConfig(PlanContext context, PoolSpec pool, NodeSpec node);

    IEnumerable<PlannedVariable> Environment(PlanContext context, PoolSpec pool, NodeSpec node);

    IEnumerable<PlannedArgument> Arguments(PlanContext context, PoolSpec pool);

    IEnumerable<PlannedPort> Ports(PlanContext context, PoolSpec pool, NodeSpec node);
}
