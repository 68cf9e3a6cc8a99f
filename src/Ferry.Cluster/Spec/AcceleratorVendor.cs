namespace Ferry.Cluster.Spec;

/// <summary>Whose software runs an accelerator.</summary>
public enum AcceleratorVendor
{
    [SpecName("amd", "ROCm: vLLM's platform is called cuda, its devices come from /dev/kfd and /dev/dri")]
    Amd,

    [SpecName("intel-gaudi", "Gaudi: vLLM's platform is hpu, containers run under the habana runtime")]
    IntelGaudi,

    [SpecName("cpu", "no accelerator")]
    Cpu,

    [SpecName("nvidia", "CUDA")]
    Nvidia,
}
