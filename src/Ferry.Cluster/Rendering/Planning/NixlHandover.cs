using System.Text.Json.Nodes;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>vLLM's own NixlConnector: the decode engine reads the prefill engine's blocks over UCX. LMCache has no part in it.</summary>
internal sealed class NixlHandover : IHandoverProfile
{
    private const double GaudiLeaseSeconds = 300;

    public string Summary => "by vLLM's NixlConnector: the decode engine reads the prefill engine's blocks over UCX";

    public bool UsesUcx => true;

    public void Check(PlanContext context)
    {
        var spec = context.Spec;
        var vendors = spec.Pools.Select(pool => spec.ProfileOf(pool).Vendor).Distinct().ToList();
        if (vendors.Count > 1)
        {
            context.Warn("handover.kind is nixl between accelerators of different vendors. No released vLLM does this: K and V lie in one region a layer on one side and in two on the other " +
                "(\"Number of KV layers must match\"), the attention backends differ, and so does the handshake's hash. What is rendered is the nearest that exists; handover.kind: ferry works.");
            if (spec.Handover.EnforceCompatibility)
            {
                context.Warn("handover.enforceCompatibility is true: between vendors the handshake's hash always differs, so every hand-over is refused. With false the engines try, at your own risk.");
            }
        }
        if (spec.Handover.BufferDevice == BufferDevice.Device && spec.Transport.Kind == TransportKind.Tcp && spec.Pools.Any(pool => spec.ProfileOf(pool).Vendor == AcceleratorVendor.IntelGaudi))
        {
            context.Errors.Add("handover.bufferDevice is device over tcp: UCX has no transport that copies Gaudi memory, so TCP cannot carry it. Set bufferDevice to cpu, or transport.kind to rdma or roce.");
        }
        if (spec.Storage.Kind != StorageKind.None)
        {
            context.Warn("storage has no effect with handover.kind nixl: NixlConnector never loads LMCache and knows no store. With handover.kind: ferry it has.");
        }
        if (LeaseSeconds(context) > spec.Handover.LeaseSeconds)
        {
            context.Warn($"handover.leaseSeconds is {spec.Handover.LeaseSeconds:0.###}; a Gaudi decode node sends no heartbeats and cannot renew the lease, so {GaudiLeaseSeconds} is rendered.");
        }
    }

    public JsonObject TransferConfig(PlanContext context, PoolSpec pool, NodeSpec node)
    {
        var extra = new JsonObject { ["kv_lease_duration"] = LeaseSeconds(context) };
        if (!context.Spec.Handover.EnforceCompatibility)
        {
            extra["enforce_handshake_compat"] = false;
        }
        return new JsonObject
        {
            ["kv_connector"] = "NixlConnector",
            ["kv_role"] = HandoverProfiles.KvRole(pool),
            ["kv_buffer_device"] = context.Spec.Handover.BufferDevice == BufferDevice.Cpu ? "cpu" : context.Spec.ProfileOf(pool).DeviceType,
            ["kv_load_failure_policy"] = "fail",
            ["kv_connector_extra_config"] = extra,
        };
    }

    public IEnumerable<PlannedVariable> Environment(PlanContext context, PoolSpec pool, NodeSpec node)
    {
        yield return HandoverProfiles.HashSeed(context);
        yield return new PlannedVariable("VLLM_NIXL_SIDE_CHANNEL_HOST", context.OwnAddress(node), "this node's own address: it is bound and told to peers, on the decode node, too");
        yield return new PlannedVariable("VLLM_NIXL_SIDE_CHANNEL_PORT", $"{context.SideChannelPort(node)}", "port of the side channel");
        foreach (var variable in UcxVariables.Of(context, pool))
        {
            yield return variable;
        }
    }

    public IEnumerable<PlannedArgument> Arguments(PlanContext context, PoolSpec pool)
    {
        var blocks = context.Spec.Pools.Select(context.Spec.BlockTokensOf).Distinct().ToList();
        if (blocks.Count > 1 && pool.BlockTokens is null)
        {
            yield return PlannedArgument.Because("NIXL with buffers in host memory needs equal blocks on both sides", "--block-size", $"{blocks.Max()}");
        }
        if (context.Spec.ProfileOf(pool).Vendor == AcceleratorVendor.Amd && pool.Engine.AttentionBackend is null)
        {
            yield return PlannedArgument.Because("named, because it decides block size, layout and handshake, and which one vLLM takes depends on the image; this one takes every block size", "--attention-backend", "TRITON_ATTN");
        }
    }

    public IEnumerable<PlannedPort> Ports(PlanContext context, PoolSpec pool, NodeSpec node) =>
        [new PlannedPort("side-channel", context.SideChannelPort(node), PortCallers.Engines | PortCallers.Router)];

    /// <summary>The lease as it is rendered: long enough for a decode side that cannot renew it.</summary>
    public static double LeaseSeconds(PlanContext context) =>
        context.Spec.DecodePools.Any(pool => context.Spec.ProfileOf(pool).Vendor == AcceleratorVendor.IntelGaudi)
            ? Math.Max(context.Spec.Handover.LeaseSeconds, GaudiLeaseSeconds)
            : context.Spec.Handover.LeaseSeconds;
}
