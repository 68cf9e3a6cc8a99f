using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>Devices, groups, capabilities and limits of an engine's container, by vendor and network.</summary>
internal static class HardwarePlanner
{
    public static PlannedHardware Of(PlanContext context, PoolSpec pool, bool usesUcx)
    {
        var profile = context.Spec.ProfileOf(pool);
        var hardware = ByVendor(profile.Vendor) with
        {
            SharesIpc = true,
            ResourceName = profile.KubernetesResource.Length > 0 ? profile.KubernetesResource : null,
            ResourceCount = profile.KubernetesResource.Length > 0 ? pool.TensorParallel : 0,
        };
        var comments = hardware.Comments.Append("the host's shared memory: ranks talk through it, and Docker's default of 64 MiB is too small");
        if (usesUcx && context.Spec.Transport.Kind != TransportKind.Tcp)
        {
            hardware = hardware with
            {
                Devices = [.. hardware.Devices, "/dev/infiniband"],
                Capabilities = [.. hardware.Capabilities, "IPC_LOCK"],
                LocksMemory = true,
                UsesRdma = true,
            };
            comments = comments.Append("/dev/infiniband, IPC_LOCK and memlock without limit: RDMA pins what it registers");
        }
        return hardware with { Comments = [.. comments] };
    }

    private static PlannedHardware ByVendor(AcceleratorVendor vendor) => vendor switch
    {
        AcceleratorVendor.Amd => new PlannedHardware
        {
            Devices = ["/dev/kfd", "/dev/dri"],
            Groups = ["video", "render"],
            SecurityOptions = ["seccomp=unconfined"],
            Comments = ["/dev/kfd and /dev/dri with the groups that own them; seccomp off, as ROCm maps memory between processes"],
        },
        AcceleratorVendor.IntelGaudi => new PlannedHardware
        {
            Runtime = "habana",
            Capabilities = ["SYS_NICE"],
            Comments = ["the habana runtime brings the devices that HABANA_VISIBLE_DEVICES names; SYS_NICE lets it bind to NUMA nodes"],
        },
        AcceleratorVendor.Nvidia => new PlannedHardware { Runtime = "nvidia", Comments = ["the nvidia runtime brings the devices"] },
        _ => PlannedHardware.None,
    };
}
