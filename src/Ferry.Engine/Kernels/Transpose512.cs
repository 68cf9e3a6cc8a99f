using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Engine.Kernels;

/// <summary>A 16 × 16 transposition in sixteen registers: pairs of rows, then of pairs, then of quarters of registers.</summary>
/// <remarks>Moves bits only. Written out register by register, because the JIT keeps named locals in registers, but not arrays.</remarks>
internal static unsafe class Transpose512
{
    // Quarters 0 and 2 (1 and 3) of the first operand, then of the second.
    private const byte Even = 0x88;
    private const byte Odd = 0xDD;

    public static bool IsSupported => Avx512F.IsSupported;

    /// <param name="source">Sixteen rows of sixteen, one after the other.</param>
    /// <param name="target">Row i of the result is at <c>target + i * stride</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* source, float* target, nint stride)
    {
        var r0 = Vector512.Load(source + 0);
        var r1 = Vector512.Load(source + 16);
        var p0 = Avx512F.UnpackLow(r0, r1).AsDouble();
        var p1 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        var r2 = Vector512.Load(source + 32);
        var r3 = Vector512.Load(source + 48);
        var p2 = Avx512F.UnpackLow(r2, r3).AsDouble();
        var p3 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        var r4 = Vector512.Load(source + 64);
        var r5 = Vector512.Load(source + 80);
        var p4 = Avx512F.UnpackLow(r4, r5).AsDouble();
        var p5 = Avx512F.UnpackHigh(r4, r5).AsDouble();
        var r6 = Vector512.Load(source + 96);
        var r7 = Vector512.Load(source + 112);
        var p6 = Avx512F.UnpackLow(r6, r7).AsDouble();
        var p7 = Avx512F.UnpackHigh(r6, r7).AsDouble();
        var r8 = Vector512.Load(source + 128);
        var r9 = Vector512.Load(source + 144);
        var p8 = Avx512F.UnpackLow(r8, r9).AsDouble();
        var p9 = Avx512F.UnpackHigh(r8, r9).AsDouble();
        var r10 = Vector512.Load(source + 160);
        var r11 = Vector512.Load(source + 176);
        var p10 = Avx512F.UnpackLow(r10, r11).AsDouble();
        var p11 = Avx512F.UnpackHigh(r10, r11).AsDouble();
        var r12 = Vector512.Load(source + 192);
        var r13 = Vector512.Load(source + 208);
        var p12 = Avx512F.UnpackLow(r12, r13).AsDouble();
        var p13 = Avx512F.UnpackHigh(r12, r13).AsDouble();
        var r14 = Vector512.Load(source + 224);
        var r15 = Vector512.Load(source + 240);
        var p14 = Avx512F.UnpackLow(r14, r15).AsDouble();
        var p15 = Avx512F.UnpackHigh(r14, r15).AsDouble();
        var q0 = Avx512F.UnpackLow(p0, p2).AsSingle();
        var q1 = Avx512F.UnpackHigh(p0, p2).AsSingle();
        var q2 = Avx512F.UnpackLow(p1, p3).AsSingle();
        var q3 = Avx512F.UnpackHigh(p1, p3).AsSingle();
        var q4 = Avx512F.UnpackLow(p4, p6).AsSingle();
        var q5 = Avx512F.UnpackHigh(p4, p6).AsSingle();
        var q6 = Avx512F.UnpackLow(p5, p7).AsSingle();
        var q7 = Avx512F.UnpackHigh(p5, p7).AsSingle();
        var q8 = Avx512F.UnpackLow(p8, p10).AsSingle();
        var q9 = Avx512F.UnpackHigh(p8, p10).AsSingle();
        var q10 = Avx512F.UnpackLow(p9, p11).AsSingle();
        var q11 = Avx512F.UnpackHigh(p9, p11).AsSingle();
        var q12 = Avx512F.UnpackLow(p12, p14).AsSingle();
        var q13 = Avx512F.UnpackHigh(p12, p14).AsSingle();
        var q14 = Avx512F.UnpackLow(p13, p15).AsSingle();
        var q15 = Avx512F.UnpackHigh(p13, p15).AsSingle();
        var s0 = Avx512F.Shuffle4x128(q0, q4, Even);
        var t0 = Avx512F.Shuffle4x128(q8, q12, Even);
        var u0 = Avx512F.Shuffle4x128(q0, q4, Odd);
        var v0 = Avx512F.Shuffle4x128(q8, q12, Odd);
        Avx512F.Shuffle4x128(s0, t0, Even).Store(target);
        Avx512F.Shuffle4x128(u0, v0, Even).Store(target + (4 * stride));
        Avx512F.Shuffle4x128(s0, t0, Odd).Store(target + (8 * stride));
        Avx512F.Shuffle4x128(u0, v0, Odd).Store(target + (12 * stride));
        var s1 = Avx512F.Shuffle4x128(q1, q5, Even);
        var t1 = Avx512F.Shuffle4x128(q9, q13, Even);
        var u1 = Avx512F.Shuffle4x128(q1, q5, Odd);
        var v1 = Avx512F.Shuffle4x128(q9, q13, Odd);
        Avx512F.Shuffle4x128(s1, t1, Even).Store(target + stride);
        Avx512F.Shuffle4x128(u1, v1, Even).Store(target + (5 * stride));
        Avx512F.Shuffle4x128(s1, t1, Odd).Store(target + (9 * stride));
        Avx512F.Shuffle4x128(u1, v1, Odd).Store(target + (13 * stride));
        var s2 = Avx512F.Shuffle4x128(q2, q6, Even);
        var t2 = Avx512F.Shuffle4x128(q10, q14, Even);
        var u2 = Avx512F.Shuffle4x128(q2, q6, Odd);
        var v2 = Avx512F.Shuffle4x128(q10, q14, Odd);
        Avx512F.Shuffle4x128(s2, t2, Even).Store(target + (2 * stride));
        Avx512F.Shuffle4x128(u2, v2, Even).Store(target + (6 * stride));
        Avx512F.Shuffle4x128(s2, t2, Odd).Store(target + (10 * stride));
        Avx512F.Shuffle4x128(u2, v2, Odd).Store(target + (14 * stride));
        var s3 = Avx512F.Shuffle4x128(q3, q7, Even);
        var t3 = Avx512F.Shuffle4x128(q11, q15, Even);
        var u3 = Avx512F.Shuffle4x128(q3, q7, Odd);
        var v3 = Avx512F.Shuffle4x128(q11, q15, Odd);
        Avx512F.Shuffle4x128(s3, t3, Even).Store(target + (3 * stride));
        Avx512F.Shuffle4x128(u3, v3, Even).Store(target + (7 * stride));
        Avx512F.Shuffle4x128(s3, t3, Odd).Store(target + (11 * stride));
        Avx512F.Shuffle4x128(u3, v3, Odd).Store(target + (15 * stride));
    }
}
