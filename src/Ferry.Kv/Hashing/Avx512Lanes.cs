using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Hashing;

/// <summary>AVX-512: one rotation instruction, and one permutation for all 16 words.</summary>
internal struct Avx512Lanes : IBlake3Lanes<Avx512Lanes>
{
    private Vector512<uint> _message;

    public static bool IsSupported => Avx512F.VL.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Lanes Load(ReadOnlySpan<uint> block) => new() { _message = Vector512.Create(block) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> RotateRight(Vector128<uint> value, [ConstantExpected] byte bits) => Avx512F.VL.RotateRight(value, bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void NextRound(int round, out Vector128<uint> x, out Vector128<uint> y, out Vector128<uint> diagonalX, out Vector128<uint> diagonalY)
    {
        var words = Vector512.Shuffle(_message, Vector512.Create(0u, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
        _message = Vector512.Shuffle(_message, Vector512.Create(2u, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8));
        x = words.GetLower().GetLower();
        y = words.GetLower().GetUpper();
        diagonalX = words.GetUpper().GetLower();
        diagonalY = words.GetUpper().GetUpper();
    }
}
