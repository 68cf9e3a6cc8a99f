using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

internal readonly unsafe struct PanelBFloat16 : IPanelFormat
{
    public static int RowBytes => PackedMatrix.PanelOutputs * sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Lower512(byte* row) => (Vector512.Load((uint*)row) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Upper512(byte* row) => (Vector512.Load((uint*)row) & Vector512.Create(0xFFFF0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Lower256(byte* row, int part) => (Vector256.Load((uint*)row + (8 * part)) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Upper256(byte* row, int part) =>
        (Vector256.Load((uint*)row + (8 * part)) & Vector256.Create(0xFFFF0000u)).AsSingle();

    public static float Scalar(byte* row, int output) =>
        HalfBits.FromBFloat16(((ushort*)row)[PackedMatrix.HalfIndex(output)]);
}
