using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Ucx;

/// <summary>Whether a process will register memory with an RDMA card.</summary>
internal static class RdmaUse
{
    /// <summary>What says so, as a message quotes it; null when nothing does.</summary>
    public static string? Of(ObservedProcess process)
    {
        if (UcxSettings.Of(process) is { } ucx && !ucx.List.AllowsAll)
        {
            return ucx.Names(transport => transport.Kind == UcxTransportKind.Rdma) ? $"UCX_TLS={ucx.Value.Value}" : null;
        }
        var passesDevice = process.Container is { Privileged: null } container && container.HasDevice("/dev/infiniband");
        return passesDevice && process.KvTransfer?.Nixl is not null ? "/dev/infiniband" : null;
    }
}
