using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

/// <summary>Which registers the kernels use. Every width gives the same bits: it only sets how many of the 16 lanes one instruction holds.</summary>
internal enum VectorWidth
{
    Scalar,
    Vector256,
    Vector512,
}

internal static class VectorWidths
{
    /// <summary>The widest that this machine runs in hardware.</summary>
    public static VectorWidth Best =>
        Vector512.IsHardwareAccelerated ? VectorWidth.Vector512 :
        Vector256.IsHardwareAccelerated ? VectorWidth.Vector256 : VectorWidth.Scalar;
}
