namespace Ferry.Cluster.Spec;

/// <summary>The network between nodes.</summary>
public enum TransportKind
{
    [SpecName("tcp", "any network; no devices, no privileges")]
    Tcp,

    [SpecName("rdma", "InfiniBand; containers get /dev/infiniband, IPC_LOCK and unlimited memlock")]
    Rdma,

    [SpecName("roce", "RDMA over Ethernet; the same, with the port's GID")]
    Roce,
}
