namespace Ferry.Cluster.Spec;

/// <summary>Where KV is staged on its way.</summary>
public enum BufferDevice
{
    [SpecName("cpu", "host memory; NIXL then keeps a copy of the whole KV cache of every rank there")]
    Cpu,

    [SpecName("device", "accelerator memory; needs GPU-direct RDMA on both sides")]
    Device,
}
