namespace Ferry.Cluster.Rendering.Plan;

/// <summary>What of the host's hardware and kernel a container gets.</summary>
public sealed record PlannedHardware
{
    /// <summary>Nothing: a plain CPU process.</summary>
    public static PlannedHardware None { get; } = new();

    /// <summary>Device files, such as <c>/dev/kfd</c>.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Groups that own the device files.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Container runtime, such as <c>habana</c>; null: the default one.</summary>
    public string? Runtime { get; init; }

    public IReadOnlyList<string> Capabilities { get; init; } = [];

    public IReadOnlyList<string> SecurityOptions { get; init; } = [];

    /// <summary>Memory may be locked without a limit: RDMA pins what it registers.</summary>
    public bool LocksMemory { get; init; }

    /// <summary>The host's shared memory: ranks of one engine talk through it, and the default of 64 MiB is too small.</summary>
    public bool SharesIpc { get; init; }

    /// <summary>Kubernetes' name of the accelerator, such as <c>amd.com/gpu</c>; null: none.</summary>
    public string? ResourceName { get; init; }

    public int ResourceCount { get; init; }

    /// <summary>RDMA devices of the host: device files in a container, a device plugin's resource in Kubernetes.</summary>
    public bool UsesRdma { get; init; }

    /// <summary>Why the above is there: one line each.</summary>
    public IReadOnlyList<string> Comments { get; init; } = [];
}
