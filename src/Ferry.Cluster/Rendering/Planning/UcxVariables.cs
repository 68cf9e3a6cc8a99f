using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>UCX as each node needs it, when UCX carries KV.</summary>
internal static class UcxVariables
{
    public static IEnumerable<PlannedVariable> Of(PlanContext context, PoolSpec pool)
    {
        var transport = context.Spec.Transport;
        var profile = context.Spec.ProfileOf(pool);
        yield return new PlannedVariable("UCX_TLS", transport.Tls ?? Transports(context, profile), transport.Tls is null
            ? "the network, with tcp to fall back on and for NIXL's own loop; then within the node"
            : "as transport.tls says");
        if (transport.Devices.Count > 0)
        {
            // NIXL's own loop needs a network that is always there: with RDMA devices alone tcp would be gone.
            yield return new PlannedVariable("UCX_NET_DEVICES", string.Join(',', transport.Devices), "the network devices that carry KV");
        }
        if (transport is { Kind: TransportKind.Roce, GidIndex: { } gid })
        {
            yield return new PlannedVariable("UCX_IB_GID_INDEX", $"{gid}", "the GID that RoCE packets leave with");
        }
        if (context.Spec.Handover.BufferDevice == BufferDevice.Device && profile.Vendor == AcceleratorVendor.IntelGaudi)
        {
            yield return new PlannedVariable("UCX_MEMTYPE_CACHE", "n", "UCX does not see Gaudi's allocations and would remember a wrong type");
        }
        if (context.Spec.Handover.BufferDevice == BufferDevice.Device && profile.Vendor == AcceleratorVendor.Amd)
        {
            yield return new PlannedVariable("UCX_ROCM_COPY_DMABUF", "y", "GPU memory goes to the network card by dma-buf; off by default before UCX 1.23");
        }
    }

    /// <summary>Names of the accelerator only where its memory is what moves: with buffers in host memory they do nothing.</summary>
    private static string Transports(PlanContext context, AcceleratorProfile profile)
    {
        IEnumerable<string> network = context.Spec.Transport.Kind == TransportKind.Tcp ? ["tcp"] : ["rc", "ud", "tcp"];
        IEnumerable<string> device = context.Spec.Handover.BufferDevice == BufferDevice.Device ? profile.UcxTransports : [];
        return string.Join(',', [.. network, .. device, "sm", "self"]);
    }
}
