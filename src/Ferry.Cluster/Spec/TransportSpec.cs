namespace Ferry.Cluster.Spec;

/// <summary>The network between nodes.</summary>
public sealed record TransportSpec
{
    [SpecKey("kind", "Which network.")]
    public TransportKind Kind { get; init; } = TransportKind.Tcp;

    [SpecKey("devices", "RDMA devices with their port (UCX_NET_DEVICES), or network interfaces with tcp.", Pattern = @"[A-Za-z0-9_.-]{1,64}(:[0-9]{1,3})?", PatternText = "a device such as mlx5_0:1 or eth0", MaximumItems = 64)]
    public IReadOnlyList<string> Devices { get; init; } = [];

    [SpecKey("tls", "UCX_TLS as it shall be, for all nodes; left out, it follows from the kind and each accelerator.", Pattern = @"\^?[a-z0-9_,\\]{1,512}", PatternText = "a list of UCX transports such as rc,sm,self")]
    public string? Tls { get; init; }

    [SpecKey("ucxVersion", "Version of UCX in the images, for the checks.", Pattern = @"[0-9]+(\.[0-9]+){0,3}", PatternText = "a version such as 1.19.0")]
    public string? UcxVersion { get; init; }

    [SpecKey("gidIndex", "roce: GID that the ports use (UCX_IB_GID_INDEX).", Minimum = 0, Maximum = 255)]
    public int? GidIndex { get; init; }

    [SpecKey("rate", "What one node's network carries in one direction.", Unit = SpecUnit.BytesPerSecond, Minimum = 1e6, Maximum = 1e13, Example = "50GB/s", DefaultText = "tcp 1 GB/s; rdma and roce 50 GB/s")]
    public long? BytesPerSecond { get; init; }

    /// <summary>The rate, or what is usual for the kind: one UCX stream over TCP, one 400 Gbit/s port with RDMA.</summary>
    public long BytesPerSecondOrUsual => BytesPerSecond ?? (Kind == TransportKind.Tcp ? 1_000_000_000 : 50_000_000_000);
}
