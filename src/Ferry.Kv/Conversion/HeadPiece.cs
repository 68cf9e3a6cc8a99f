using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Neighbouring heads of the target that come from one source.</summary>
/// <param name="Source">Index of the source shard.</param>
/// <param name="FirstHead">0-based in the whole model.</param>
internal readonly record struct HeadPiece(int Source, int FirstHead, int Heads)
{
    /// <summary>Covers the target's heads with as few pieces as there can be; heads that no source holds are added to <paramref name="mismatches"/>.</summary>
    public static List<HeadPiece> Cover(KvLayout[] sources, KvLayout target, List<string> mismatches)
    {
        var pieces = new List<HeadPiece>();
        var end = (int)Math.Min((long)target.FirstHead + target.Heads, Math.Min(target.ModelHeads, KvLayout.MaxHeads));
        for (var head = Math.Max(0, target.FirstHead); head < end;)
        {
            var (source, reach) = Longest(sources, head);
            if (source < 0)
            {
                reach = sources.Where(shard => shard.FirstHead > head).Select(shard => shard.FirstHead).DefaultIfEmpty(end).Min();
                reach = Math.Min(reach, end);
                mismatches.Add($"heads={head}..{reach} of the target (heads={target.FirstHead}..{end}/{target.ModelHeads}) lie in no source");
            }
            reach = Math.Min(reach, end);
            pieces.Add(new HeadPiece(source, head, reach - head));
            head = reach;
        }
        return pieces;
    }

    /// <summary>The source that holds <paramref name="head"/> and most of those after it; the first of several as good.</summary>
    private static (int Source, int EndHead) Longest(KvLayout[] sources, int head)
    {
        var (best, bestEnd) = (-1, head);
        for (var index = 0; index < sources.Length; index++)
        {
            var end = Math.Min((long)sources[index].FirstHead + sources[index].Heads, KvLayout.MaxHeads);
            if (sources[index].FirstHead <= head && end > bestEnd) { (best, bestEnd) = (index, (int)end); }
        }
        return (best, bestEnd);
    }
}
