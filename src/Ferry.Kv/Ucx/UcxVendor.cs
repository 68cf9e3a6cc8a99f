namespace Ferry.Kv.Ucx;

/// <summary>Whose accelerator a transport of UCX is made for.</summary>
public enum UcxVendor
{
    /// <summary>Any, or no accelerator at all.</summary>
    Any,

    /// <summary>ROCm: MI300X and its kin.</summary>
    Amd,

    /// <summary>SynapseAI: Gaudi.</summary>
    Gaudi,

    /// <summary>Level Zero: Intel's graphics processors, which are not Gaudi.</summary>
    IntelGpu,

    /// <summary>CUDA.</summary>
    Nvidia,
}
