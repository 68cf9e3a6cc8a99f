using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

/// <summary>How the 32 weights of one row of a panel are stored (<see cref="PackedMatrix"/>), and how they become floats in registers.</summary>
/// <remarks>In the 16-bit formats the 32-bit word j holds output j in its low half and output j + 16 in its high half, so that widening needs no shuffle.</remarks>
internal unsafe interface IPanelFormat
{
    /// <summary>Bytes of one row: 32 weights.</summary>
    static abstract int RowBytes { get; }

    /// <summary>Outputs 0 to 15.</summary>
    static abstract Vector512<float> Lower512(byte* row);

    /// <summary>Outputs 16 to 31.</summary>
    static abstract Vector512<float> Upper512(byte* row);

    /// <summary>Outputs 8 * <paramref name="part"/> to 8 * part + 7; part is 0 or 1.</summary>
    static abstract Vector256<float> Lower256(byte* row, int part);

    /// <summary>Outputs 16 + 8 * <paramref name="part"/> to 16 + 8 * part + 7; part is 0 or 1.</summary>
    static abstract Vector256<float> Upper256(byte* row, int part);

    static abstract float Scalar(byte* row, int output);
}
