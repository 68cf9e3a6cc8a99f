namespace Ferry.Cluster.Spec;

/// <summary>The known accelerators. Each number's source: docs/planning.md.</summary>
public static class AcceleratorProfiles
{
    public static AcceleratorProfile Mi300x { get; } = new()
    {
        Vendor = AcceleratorVendor.Amd,
        MemoryBytes = 192L << 30,   // 192 GB on the data sheet; ROCm reports that many GiB.
        MemoryBytesPerSecond = 5_300_000_000_000,
        Bf16Tflops = 1307,
        Fp8Tflops = 2614,
        HostBytesPerSecond = 55_000_000_000,   // PCIe 5 x16, pinned.
        ReserveBytes = 6L << 30,
        MemoryRule = MemoryRule.Total,
        DevicesPerNode = 8,
        BlockTokens = 16,
        KvOrder = BlockOrder.Hnd,
        KvPacking = BlockPacking.Interleaved,
        Fp8 = Fp8Format.E4M3Fnuz,
        DeviceType = "cuda",
        KubernetesResource = "amd.com/gpu",
        VisibleDevicesVariable = "HIP_VISIBLE_DEVICES",
        UcxTransports = ["rocm"],
        Image = "rocm/vllm:v{version}",
    };

    public static AcceleratorProfile Gaudi3 { get; } = new()
    {
        Vendor = AcceleratorVendor.IntelGaudi,
        MemoryBytes = 125L << 30,   // 128 GB on the data sheet; what the driver leaves.
        MemoryBytesPerSecond = 3_700_000_000_000,
        Bf16Tflops = 1835,
        Fp8Tflops = 1835,
        HostBytesPerSecond = 55_000_000_000,   // PCIe 5 x16, pinned.
        ReserveBytes = 4L << 30,
        MemoryRule = MemoryRule.AfterWeights,
        GraphShare = 0.1,
        DevicesPerNode = 8,
        BlockTokens = 128,
        KvOrder = BlockOrder.Nhd,
        KvPacking = BlockPacking.Split,
        Fp8 = Fp8Format.E4M3Fn,
        DeviceType = "hpu",
        KubernetesResource = "habana.ai/gaudi",
        VisibleDevicesVariable = "HABANA_VISIBLE_DEVICES",
        UcxTransports = ["gaudi_gdr"],
        Image = "vault.habana.ai/gaudi-docker/vllm-gaudi:{version}",
    };

    /// <summary>A machine without accelerator, in the figures of the one that Ferry's engine was measured on.</summary>
    public static AcceleratorProfile Cpu { get; } = new()
    {
        Vendor = AcceleratorVendor.Cpu,
        MemoryBytes = 24L << 30,
        MemoryBytesPerSecond = 48_000_000_000,
        Bf16Tflops = 0.2,
        PrefillEfficiency = 0.96,
        HostBytesPerSecond = 25_000_000_000,
        MemoryRule = MemoryRule.Total,
        DevicesPerNode = 1,
        BlockTokens = 16,
        KvOrder = BlockOrder.Hnd,
        KvPacking = BlockPacking.Halves,
        DeviceType = "cpu",
    };

    public static IReadOnlyDictionary<string, AcceleratorProfile> ByName { get; } = new Dictionary<string, AcceleratorProfile>(StringComparer.Ordinal)
    {
        ["mi300x"] = Mi300x,
        ["gaudi3"] = Gaudi3,
        ["cpu"] = Cpu,
    };

    /// <summary>The profile of a name: the file's own, else a known one, else null.</summary>
    public static AcceleratorProfile? TryResolve(string name, IReadOnlyDictionary<string, AcceleratorProfile> own) =>
        own.GetValueOrDefault(name) ?? ByName.GetValueOrDefault(name);
}
