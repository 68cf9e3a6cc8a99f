using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

internal readonly unsafe struct PanelFloat32 : IPanelFormat
{
    public static int RowBytes => PackedMatrix.PanelOutputs * sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Lower512(byte* row) => Vector512.Load((float*)row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Upper512(byte* row) => Vector512.Load((float*)row + 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Lower256(byte* row, int part) => Vector256.Load((float*)row + (8 * part));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Upper256(byte* row, int part) => Vector256.Load((float*)row + 16 + (8 * part));

    public static float Scalar(byte* row, int output) => ((float*)row)[output];
}
