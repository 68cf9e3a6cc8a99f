using Ferry.Kv.Layout;

namespace Ferry.Cluster.Spec;

/// <summary>What an accelerator has and what its software is called: the one place where vendors differ.</summary>
public sealed record AcceleratorProfile
{
    [SpecKey("base", "Known profile that this one starts from: mi300x, gaudi3 or cpu.", Pattern = "[a-z0-9-]{1,63}", PatternText = "the name of a known profile")]
    public string? Base { get; init; }

    [SpecKey("vendor", "Whose software runs it.")]
    public AcceleratorVendor Vendor { get; init; } = AcceleratorVendor.Cpu;

    [SpecKey("memory", "Memory of one device.", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 46)]
    public long MemoryBytes { get; init; } = 64L << 30;

    [SpecKey("memoryRate", "Memory bandwidth of one device.", Unit = SpecUnit.BytesPerSecond, Minimum = 1e6, Maximum = 1e15)]
    public long MemoryBytesPerSecond { get; init; } = 50_000_000_000;

    [SpecKey("bf16Tflops", "Dense bf16 arithmetic of one device, 10^12 operations a second.", Minimum = 1e-6, Maximum = 1e7)]
    public double Bf16Tflops { get; init; } = 1;

    [SpecKey("fp8Tflops", "Dense fp8 arithmetic of one device.", Minimum = 1e-6, Maximum = 1e7, DefaultText = "that of bf16")]
    public double? Fp8Tflops { get; init; }

    [SpecKey("prefillEfficiency", "Share of the arithmetic that prefill reaches.", Minimum = 0.001, Maximum = 1)]
    public double PrefillEfficiency { get; init; } = 0.4;

    [SpecKey("decodeEfficiency", "Share of the memory bandwidth that decode reaches; 1 gives the floor of a step's time.", Minimum = 0.001, Maximum = 1)]
    public double DecodeEfficiency { get; init; } = 1;

    [SpecKey("hostRate", "Copies between host and one device, in one direction.", Unit = SpecUnit.BytesPerSecond, Minimum = 1e6, Maximum = 1e13)]
    public long HostBytesPerSecond { get; init; } = 25_000_000_000;

    [SpecKey("reserve", "Memory of one device for activations and graphs.", Unit = SpecUnit.Bytes, Minimum = 0, Maximum = 1L << 42)]
    public long ReserveBytes { get; init; }

    [SpecKey("memoryRule", "What memoryUtilization is a share of.")]
    public MemoryRule MemoryRule { get; init; } = MemoryRule.Total;

    [SpecKey("graphShare", "after-weights: share of the rest that graphs take (VLLM_GRAPH_RESERVED_MEM).", Minimum = 0, Maximum = 0.99)]
    public double GraphShare { get; init; }

    [SpecKey("devicesPerNode", "Devices of one machine.", Minimum = 1, Maximum = 64)]
    public int DevicesPerNode { get; init; } = 1;

    [SpecKey("blockTokens", "Tokens of one KV block that the engine chooses.", Minimum = 1, Maximum = 4096)]
    public int BlockTokens { get; init; } = 16;

    [SpecKey("kvOrder", "Axes inside a KV block: HND or NHD.")]
    public BlockOrder KvOrder { get; init; } = BlockOrder.Hnd;

    [SpecKey("kvPacking", "Where K and V lie.")]
    public BlockPacking KvPacking { get; init; } = BlockPacking.Interleaved;

    [SpecKey("fp8", "fp8 format of its KV cache.")]
    public Fp8Format Fp8 { get; init; } = Fp8Format.E4M3Fn;

    [SpecKey("deviceType", "vLLM's name of the platform, which kv_buffer_device takes: cuda (also on ROCm), hpu, cpu.", Pattern = "[a-z]{2,16}", PatternText = "a name such as cuda, hpu or cpu")]
    public string DeviceType { get; init; } = "cpu";

    [SpecKey("kubernetesResource", "Resource that a pod asks for; empty: none.", Pattern = "([a-z0-9.-]+/[a-z0-9._-]+)?", PatternText = "a resource such as amd.com/gpu")]
    public string KubernetesResource { get; init; } = "";

    [SpecKey("visibleDevices", "Variable that restricts the devices an engine sees; empty: none.", Pattern = "([A-Z][A-Z0-9_]*)?", PatternText = SpecText.VariableText)]
    public string VisibleDevicesVariable { get; init; } = "";

    [SpecKey("ucxTransports", "UCX transports of its own, beside those of the network.", Pattern = "[a-z0-9_]{1,32}", PatternText = "a UCX transport", MaximumItems = 16)]
    public IReadOnlyList<string> UcxTransports { get; init; } = [];

    [SpecKey("image", "vLLM image, with {version} in place of the version.", Pattern = @"[A-Za-z0-9][A-Za-z0-9._/:@{}-]{0,254}", PatternText = "an image reference")]
    public string Image { get; init; } = "vllm/vllm-openai:{version}";

    /// <summary>fp8 arithmetic, or that of bf16 where the device has none of its own.</summary>
    public double Fp8OrBf16Tflops => Fp8Tflops ?? Bf16Tflops;

    /// <summary>The axis order in Ferry's own terms.</summary>
    public KvOrder Order => KvOrder == BlockOrder.Nhd ? Ferry.Kv.Layout.KvOrder.Nhd : Ferry.Kv.Layout.KvOrder.Hnd;
}
