using Ferry.Kv.Layout;

namespace Ferry.Engine;

/// <summary>The KV shape of an accelerator that the CPU engine emulates, so that one machine exercises the real conversion.</summary>
/// <param name="Name">As given to <c>--device</c>.</param>
/// <param name="BlockTokens">Tokens of one block.</param>
/// <param name="Order">Axis order inside a block.</param>
/// <param name="Packing">Where K and V lie.</param>
/// <param name="TensorParallelSize">Logical ranks when the user names none.</param>
public sealed record DeviceProfile(string Name, int BlockTokens, KvOrder Order, KvPacking Packing, int TensorParallelSize)
{
    /// <summary>vLLM on ROCm: <c>(B, H, N, 2D)</c>, block 16.</summary>
    public static DeviceProfile Mi300x { get; } = new("mi300x", 16, KvOrder.Hnd, KvPacking.Interleaved, 4);

    /// <summary>vLLM on Gaudi: K and V are two tensors <c>[B, N, H, D]</c>, block 128.</summary>
    public static DeviceProfile Gaudi3 { get; } = new("gaudi3", 128, KvOrder.Nhd, KvPacking.Split, 2);

    /// <summary>No emulation: what suits the CPU kernels.</summary>
    public static DeviceProfile Cpu { get; } = new("cpu", 16, KvOrder.Hnd, KvPacking.Halves, 1);

    public static IReadOnlyList<DeviceProfile> All { get; } = [Cpu, Mi300x, Gaudi3];
}
