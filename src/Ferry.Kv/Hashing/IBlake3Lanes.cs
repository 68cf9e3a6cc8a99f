using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;

namespace Ferry.Kv.Hashing;

/// <summary>What BLAKE3's compression needs from the processor: a rotation, and the message words in the order of each round.</summary>
internal interface IBlake3Lanes<TSelf> where TSelf : struct, IBlake3Lanes<TSelf>
{
    /// <summary>The 16 words of a block.</summary>
    static abstract TSelf Load(ReadOnlySpan<uint> block);

    static abstract Vector128<uint> RotateRight(Vector128<uint> value, [ConstantExpected] byte bits);

    /// <summary>Words of round <paramref name="round"/>, which the caller counts from 0: two for the columns, two for the diagonals.</summary>
    void NextRound(int round, out Vector128<uint> x, out Vector128<uint> y, out Vector128<uint> diagonalX, out Vector128<uint> diagonalY);
}
