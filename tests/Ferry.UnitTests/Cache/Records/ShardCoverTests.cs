using CsCheck;
using Ferry.Cache.Records;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

public sealed class ShardCoverTests
{
    [Fact]
    public void TryChoose_AnySpans_CoversWithTheFewestExactlyWhenACoverExists() =>
        Gen.Select(Gen.Select(Gen.Int[0, 7], Gen.Int[1, 4]).Array[0, 8], Gen.Int[0, 6], Gen.Int[1, 6]).Sample((spans, first, heads) =>
        {
            var chosen = new List<int>();
            var covered = ShardCover.TryChoose(spans, first, heads, chosen);
            var fewest = Enumerable.Range(0, 1 << spans.Length).Where(subset => Covers(spans, subset, first, heads))
                .Select(subset => int.PopCount(subset)).DefaultIfEmpty(-1).Min();

            Assert.Equal(fewest >= 0, covered);
            Assert.Equal(Math.Max(fewest, 0), chosen.Count);
            if (covered)
            {
                Assert.True(Covers(spans, chosen.Sum(index => 1 << index), first, heads));
            }
        }, iter: 2000);

    private static bool Covers((int First, int Heads)[] spans, int subset, int first, int heads) =>
        Enumerable.Range(first, heads).All(head => Enumerable.Range(0, spans.Length)
            .Any(index => (subset >> index & 1) == 1 && spans[index].First <= head && head < spans[index].First + spans[index].Heads));
}
