using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Kv.Hashing;

/// <summary>Any processor: rotation by two shifts, message words fetched one by one in an order worked out beforehand.</summary>
internal struct PortableLanes : IBlake3Lanes<PortableLanes>
{
    private Words _message;

    /// <summary>
    /// A row a round: where its words stand in the block, as x, y and the diagonals' x, y. Row 0 takes words 0, 2, 4 … as the paper
    /// pairs them; each next row is the one before through BLAKE3's message permutation.
    /// </summary>
    private static ReadOnlySpan<byte> Schedule =>
    [
        0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15,
        2, 3, 7, 4, 6, 10, 0, 13, 1, 12, 9, 15, 11, 5, 14, 8,
        3, 10, 13, 7, 4, 12, 2, 14, 6, 9, 11, 8, 5, 0, 15, 1,
        10, 12, 14, 13, 7, 9, 3, 15, 4, 11, 5, 1, 0, 2, 8, 6,
        12, 9, 15, 14, 13, 11, 10, 8, 7, 5, 0, 6, 2, 3, 1, 4,
        9, 11, 8, 15, 14, 5, 12, 1, 13, 0, 2, 4, 3, 10, 6, 7,
        11, 5, 1, 8, 15, 0, 9, 6, 14, 2, 3, 7, 10, 12, 4, 13,
    ];

    public static PortableLanes Load(ReadOnlySpan<uint> block)
    {
        var lanes = default(PortableLanes);
        block.CopyTo(lanes._message);
        return lanes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> RotateRight(Vector128<uint> value, [ConstantExpected] byte bits) => (value >>> bits) | (value << (32 - bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void NextRound(int round, out Vector128<uint> x, out Vector128<uint> y, out Vector128<uint> diagonalX, out Vector128<uint> diagonalY)
    {
        ReadOnlySpan<uint> m = _message;
        var at = Schedule.Slice(16 * round, 16);
        x = Vector128.Create(m[at[0]], m[at[1]], m[at[2]], m[at[3]]);
        y = Vector128.Create(m[at[4]], m[at[5]], m[at[6]], m[at[7]]);
        diagonalX = Vector128.Create(m[at[8]], m[at[9]], m[at[10]], m[at[11]]);
        diagonalY = Vector128.Create(m[at[12]], m[at[13]], m[at[14]], m[at[15]]);
    }

    [InlineArray(16)]
    private struct Words
    {
        private uint _first;
    }
}
