using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

internal readonly unsafe struct PanelFloat16 : IPanelFormat
{
    public static int RowBytes => PackedMatrix.PanelOutputs * sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Lower512(byte* row) => HalfBits.Widen(Vector512.Load((uint*)row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Upper512(byte* row) => HalfBits.Widen(Vector512.Load((uint*)row) >>> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Lower256(byte* row, int part) => HalfBits.Widen(Vector256.Load((uint*)row + (8 * part)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Upper256(byte* row, int part) => HalfBits.Widen(Vector256.Load((uint*)row + (8 * part)) >>> 16);

    public static float Scalar(byte* row, int output) =>
        (float)BitConverter.UInt16BitsToHalf(((ushort*)row)[PackedMatrix.HalfIndex(output)]);
}
