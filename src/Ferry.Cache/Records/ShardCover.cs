using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Chooses, among the shards of a chunk, those that together hold a span of heads.</summary>
public static class ShardCover
{
    /// <summary>The layout with its head span widened to the whole model: equal for shards of one chunk that belong together.</summary>
    public static KvLayout FamilyOf(KvLayout layout) => layout with { FirstHead = 0, Heads = layout.ModelHeads };

    /// <summary>The shard of just this span, or else the fewest shards, by index into <paramref name="spans"/> and in order of heads, that cover [<paramref name="firstHead"/>, + <paramref name="headCount"/>).</summary>
    /// <param name="spans">First head and heads of each shard, in any order; overlaps are allowed.</param>
    /// <param name="chosen">Receives the indices; left empty when the span is not covered.</param>
    public static bool TryChoose(ReadOnlySpan<(int FirstHead, int Heads)> spans, int firstHead, int headCount, List<int> chosen)
    {
        chosen.Clear();
        if (spans.IndexOf((firstHead, headCount)) is var same and >= 0)
        {
            chosen.Add(same); // Exactly what is wanted, although a longer one would do too: nothing has to be cut out of it.
            return true;
        }
        var (next, end) = (firstHead, firstHead + headCount);
        while (next < end)
        {
            // Greedy is optimal for intervals: of those that hold the next head, the one that reaches furthest.
            var (best, reach) = (-1, next);
            for (var index = 0; index < spans.Length; index++)
            {
                var (first, heads) = spans[index];
                if (first <= next && (long)first + heads > reach)
                {
                    (best, reach) = (index, first + heads);
                }
            }
            if (best < 0)
            {
                chosen.Clear();
                return false;
            }
            chosen.Add(best);
            next = reach;
        }
        return true;
    }
}
