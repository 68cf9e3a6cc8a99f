using System.Collections;
using Ferry.Transfer.Ucx;

namespace Ferry.Benchmarks.Ucx;

/// <summary>The same piece many times, without a list of them.</summary>
internal sealed class Repeated(UcxPiece piece, int count) : IReadOnlyList<UcxPiece>
{
    public int Count => count;

    public UcxPiece this[int index] => piece;

    public IEnumerator<UcxPiece> GetEnumerator() => Enumerable.Repeat(piece, count).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
