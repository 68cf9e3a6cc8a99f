namespace Ferry.Cluster.Observed;

internal enum AcceleratorKind
{
    Unknown,
    Rocm,
    Gaudi,
    Cuda,
    Cpu,
}
