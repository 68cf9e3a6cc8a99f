namespace Ferry.Engine.Tokenization;

/// <summary>Byte-pair encoding of one word: merges the adjacent pair of lowest rank, leftmost first, until none is left.</summary>
/// <param name="byteIds">Token of each single byte, -1 where the vocabulary has none (such bytes are dropped, as the reference does without an unknown token).</param>
/// <param name="merges">From (left id, right id) to rank and merged id.</param>
/// <param name="wholeWords">Words that are tokens as they stand and skip merging (<c>ignore_merges</c>), or null.</param>
internal sealed class BytePairModel(
    int[] byteIds, IReadOnlyDictionary<(int Left, int Right), (int Rank, int Id)> merges,
    Dictionary<string, int>? wholeWords)
{
    // Below this a rescan for each merge is quicker than a heap; above it the rescan's square would let one long word stall a request.
    private const int ShortWordBytes = 48;

    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges = new(merges);

    /// <summary>Appends the tokens of <paramref name="word"/> (UTF-8 bytes of one pre-token).</summary>
    public void Encode(ReadOnlySpan<byte> word, List<int> tokens)
    {
        if (wholeWords is not null && TryWholeWord(word) is { } whole)
        {
            tokens.Add(whole);
            return;
        }
        var ids = new int[word.Length];
        var count = 0;
        foreach (var value in word)
        {
            if (byteIds[value] >= 0) { ids[count++] = byteIds[value]; }
        }
        if (count <= ShortWordBytes)
        {
            MergeShort(ids, ref count);
            tokens.AddRange(ids.AsSpan(0, count));
        }
        else
        {
            MergeLong(ids.AsSpan(0, count), tokens);
        }
    }

    private int? TryWholeWord(ReadOnlySpan<byte> word)
    {
        if (word.Length > MaxWholeWordBytes) { return null; }
        Span<char> spelling = stackalloc char[MaxWholeWordBytes];
        for (var i = 0; i < word.Length; i++) { spelling[i] = ByteAlphabet.ToChar(word[i]); }
        var lookup = wholeWords!.GetAlternateLookup<ReadOnlySpan<char>>();
        return lookup.TryGetValue(spelling[..word.Length], out var id) ? id : null;
    }

    /// <summary>Longer words are never whole tokens: the loader refuses longer vocabulary entries.</summary>
    internal const int MaxWholeWordBytes = 1024;

    private void MergeShort(int[] ids, ref int count)
    {
        while (count > 1)
        {
            var best = (Rank: int.MaxValue, Id: -1);
            var at = -1;
            for (var i = 0; i + 1 < count; i++)
            {
                if (_merges.TryGetValue((ids[i], ids[i + 1]), out var merge) && merge.Rank < best.Rank) { (best, at) = (merge, i); }
            }
            if (at < 0) { return; }
            ids[at] = best.Id;
            ids.AsSpan((at + 2)..count).CopyTo(ids.AsSpan(at + 1));
            count--;
        }
    }

    /// <summary>The same merges by a heap over a linked list: n log n.</summary>
    private void MergeLong(ReadOnlySpan<int> word, List<int> tokens)
    {
        var ids = word.ToArray();
        var next = new int[ids.Length];
        var previous = new int[ids.Length];
        var heap = new PriorityQueue<(int At, int Left, int Right, int Id), (int Rank, int At)>();
        for (var i = 0; i < ids.Length; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1 < ids.Length ? i + 1 : -1);
        }
        void Offer(int at)
        {
            if (at >= 0 && next[at] >= 0 && _merges.TryGetValue((ids[at], ids[next[at]]), out var merge))
            {
                heap.Enqueue((at, ids[at], ids[next[at]], merge.Id), (merge.Rank, at));
            }
        }
        for (var i = 0; i < ids.Length; i++) { Offer(i); }
        while (heap.TryDequeue(out var pair, out _))
        {
            // An entry is stale once either side was merged away: ids no longer match (-1 marks a consumed place).
            if (ids[pair.At] != pair.Left || next[pair.At] < 0 || ids[next[pair.At]] != pair.Right) { continue; }
            var gone = next[pair.At];
            ids[pair.At] = pair.Id;
            ids[gone] = -1;
            next[pair.At] = next[gone];
            if (next[gone] >= 0) { previous[next[gone]] = pair.At; }
            Offer(previous[pair.At]);
            Offer(pair.At);
        }
        for (var i = 0; i >= 0; i = next[i]) { tokens.Add(ids[i]); }
    }
}
