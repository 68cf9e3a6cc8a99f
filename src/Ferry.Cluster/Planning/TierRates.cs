using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>Bytes a second at which a node's engine gets KV out of each tier: stages follow each other chunk by chunk, so the slowest decides.</summary>
internal readonly record struct TierRates(double Memory, double Disk, double Storage)
{
    public static TierRates Of(ClusterSpec spec, NodeModel node)
    {
        var memory = Math.Min(spec.Plan.MemoryBytesPerSecond, node.HostBytesPerSecond);
        return new(memory, Math.Min(spec.Plan.DiskBytesPerSecond, memory), Math.Min(spec.Plan.StorageBytesPerSecond, memory));
    }
}
