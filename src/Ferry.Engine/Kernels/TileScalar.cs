using System.Runtime.CompilerServices;

namespace Ferry.Engine.Kernels;

/// <summary>The definition of a tile, for machines without vectors.</summary>
internal readonly unsafe struct TileScalar : ITile
{
    public static int MaxRows => 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TFormat>(int rows, float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        for (int row = 0; row < rows; row++, a += aStride, c += cStride)
        {
            for (int output = 0; output < PackedMatrix.PanelOutputs; output++)
            {
                float sum = 0;
                byte* weights = panel;
                for (int k = 0; k < depth; k++, weights += TFormat.RowBytes)
                {
                    sum = MathF.FusedMultiplyAdd(a[k], TFormat.Scalar(weights, output), sum);
                }
                c[output] = add ? sum + c[output] : sum;
            }
        }
    }
}
