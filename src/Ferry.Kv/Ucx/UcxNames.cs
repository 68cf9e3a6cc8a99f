namespace Ferry.Kv.Ucx;

/// <summary>The transports and aliases of UCX 1.13 to 1.22 (src/ucp/core/ucp_context.c of the tags between).</summary>
public static class UcxNames
{
    private static readonly UcxVersion Always = new(1, 0);

    private static readonly UcxTransport[] All =
    [
        new("tcp", UcxTransportKind.Tcp, UcxVendor.Any, Always, null, true),
        new("self", UcxTransportKind.Loopback, UcxVendor.Any, Always, null, false),
        new("posix", UcxTransportKind.SharedMemory, UcxVendor.Any, Always, null, false),
        new("sysv", UcxTransportKind.SharedMemory, UcxVendor.Any, Always, null, false),
        new("xpmem", UcxTransportKind.SharedMemory, UcxVendor.Any, Always, null, false),
        new("knem", UcxTransportKind.SharedMemory, UcxVendor.Any, Always, null, false),
        new("cma", UcxTransportKind.SharedMemory, UcxVendor.Any, Always, null, false),
        new("rc_verbs", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, true),
        new("rc_mlx5", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, true),
        new("rc_gda", UcxTransportKind.Rdma, UcxVendor.Nvidia, new(1, 21), null, false),
        new("dc_mlx5", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, true),
        new("ud_verbs", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, true),
        new("ud_mlx5", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, true),
        new("gga_mlx5", UcxTransportKind.Rdma, UcxVendor.Any, new(1, 19), null, false),
        new("srd", UcxTransportKind.Rdma, UcxVendor.Any, new(1, 20), null, true),
        new("ugni_smsg", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, true),
        new("ugni_udt", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, false),
        new("ugni_rdma", UcxTransportKind.Rdma, UcxVendor.Any, Always, null, false),
        new("cuda_copy", UcxTransportKind.Accelerator, UcxVendor.Nvidia, Always, null, false),
        new("cuda_ipc", UcxTransportKind.Accelerator, UcxVendor.Nvidia, Always, null, false),
        new("gdr_copy", UcxTransportKind.Accelerator, UcxVendor.Nvidia, Always, null, false),
        new("rocm_copy", UcxTransportKind.Accelerator, UcxVendor.Amd, Always, null, false),
        new("rocm_ipc", UcxTransportKind.Accelerator, UcxVendor.Amd, Always, null, false),
        new("rocm_gdr", UcxTransportKind.Accelerator, UcxVendor.Amd, Always, new(1, 14), false),
        new("ze_copy", UcxTransportKind.Accelerator, UcxVendor.IntelGpu, Always, null, false),
        new("ze_ipc", UcxTransportKind.Accelerator, UcxVendor.IntelGpu, Always, new(1, 22), false),
        new("ze_gdr", UcxTransportKind.Accelerator, UcxVendor.IntelGpu, Always, new(1, 22), false),
        new("gaudi_gdr", UcxTransportKind.Accelerator, UcxVendor.Gaudi, new(1, 21), null, false),
    ];

    private static readonly UcxAlias[] Sets =
    [
        new("mm", Always, ["posix", "sysv", "xpmem"], []),
        new("sm", Always, ["posix", "sysv", "xpmem", "knem", "cma"], []),
        new("shm", Always, ["posix", "sysv", "xpmem", "knem", "cma"], []),
        // Members that came later are dropped for older releases by their own Since.
        new("ib", Always, ["rc_verbs", "ud_verbs", "rc_mlx5", "ud_mlx5", "dc_mlx5", "gga_mlx5", "srd", "rc_gda"], ["ud_mlx5", "ud_verbs"]),
        new("rc", Always, ["rc_mlx5", "rc_verbs"], ["ud_mlx5", "ud_verbs"]),
        new("rc_v", Always, ["rc_verbs"], ["ud_verbs"]),
        new("rc_x", Always, ["rc_mlx5"], ["ud_mlx5"]),
        new("ud", Always, ["ud_mlx5", "ud_verbs"], []),
        new("ud_v", Always, ["ud_verbs"], []),
        new("ud_x", Always, ["ud_mlx5"], []),
        new("dc", Always, ["dc_mlx5"], ["ud_mlx5"]),
        new("dc_x", Always, ["dc_mlx5"], ["ud_mlx5"]),
        new("gga", new(1, 19), ["gga_mlx5"], []),
        new("ugni", Always, ["ugni_smsg", "ugni_rdma"], ["ugni_udt"]),
        new("cuda", Always, ["cuda_copy", "cuda_ipc", "gdr_copy"], []),
        new("rocm", Always, ["rocm_copy", "rocm_ipc", "rocm_gdr"], []),
        new("ze", new(1, 17), ["ze_copy", "ze_ipc", "ze_gdr"], []),
        new("gaudi", new(1, 21), ["gaudi_gdr"], []),
    ];

    private static readonly Dictionary<string, UcxTransport> ByName = All.ToDictionary(one => one.Name, StringComparer.Ordinal);

    private static readonly Dictionary<string, UcxAlias> ByAlias = Sets.ToDictionary(one => one.Name, StringComparer.Ordinal);

    /// <summary>Every transport of any release.</summary>
    public static IReadOnlyList<UcxTransport> Transports => All;

    /// <summary>Every alias of any release.</summary>
    public static IReadOnlyList<UcxAlias> Aliases => Sets;

    /// <summary>Every word that may stand in UCX_TLS, for hints.</summary>
    public static IEnumerable<string> Words => ByAlias.Keys.Concat(ByName.Keys).Append("all");

    /// <summary>The transport of that exact name, or null.</summary>
    public static UcxTransport? TryTransport(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The alias of that name, or null.</summary>
    public static UcxAlias? TryAlias(string name) => ByAlias.GetValueOrDefault(name);
}
