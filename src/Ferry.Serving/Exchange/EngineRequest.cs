using Ferry.Cache.Records;
using Ferry.Engine.Connector;
using Ferry.Kv.Keys;
using Ferry.Serving.Exchange.Push;

namespace Ferry.Serving.Exchange;

/// <summary>What the exchange keeps of a request between the engine's calls. The engine's thread only.</summary>
internal sealed class EngineRequest(PromptChain chain)
{
    private readonly List<RecordLease> _records = [];
    private readonly List<KvKey> _lentKeys = [];
    private readonly List<int> _blocks = [];
    private int _lentTokens;
    private (int EndToken, long At) _lastSave;

    public PromptChain Chain { get; } = chain;

    public bool AsksToLend { get; set; }

    /// <summary>What pushes the request's chunks to its decode node; null: it pulls.</summary>
    public PushJob? Push { get; set; }

    /// <summary>Whether <see cref="Push"/> is decided.</summary>
    public bool IsPushDecided { get; set; }

    /// <summary>Whether it was decided by what hand-overs take, so that this one's time is wanted too.</summary>
    public bool IsMeasured { get; set; }

    /// <summary>Of the whole prompt; 0: not known yet.</summary>
    public int ExpectedTokens { get; set; }

    /// <summary>Pieces whose layers come one by one, with what pushes them.</summary>
    public List<(LayeredSave Piece, PushedChunk? Pushed)> Layered { get; } = [];

    /// <summary>Tokens of the prompt that were saved or should have been.</summary>
    public int PromptTokens { get; set; }

    /// <summary>Tokens that the engine computed in a second between the piece before this one and this one; null for the first piece, before which the request may have waited.</summary>
    public double? MeasureRate(in KvSave save, TimeProvider time)
    {
        var (before, now) = (_lastSave, time.GetTimestamp());
        _lastSave = (save.FirstToken + save.TokenCount, now);
        var elapsed = time.GetElapsedTime(before.At, now);
        return before.At != 0 && before.EndToken == save.FirstToken && elapsed > TimeSpan.Zero ? save.TokenCount / elapsed.TotalSeconds : null;
    }

    /// <summary>Keeps a chunk for the decode node. One that does not follow the chunks before it is of no use to it and is let go.</summary>
    /// <param name="records">Owned from now on.</param>
    /// <returns>Whether it is kept.</returns>
    public bool Lend(KvKey key, in KvSave save, IReadOnlyList<RecordLease> records)
    {
        if (save.FirstToken != _lentTokens)
        {
            foreach (var record in records)
            {
                record.Dispose();
            }
            return false;
        }
        _records.AddRange(records);
        _lentKeys.Add(key);
        _blocks.AddRange(save.Blocks.Span);
        _lentTokens += save.TokenCount;
        return true;
    }

    /// <summary>The piece that begins there, which the request keeps no longer; none when it did not come layer by layer, or not all of it.</summary>
    public (LayeredSave Piece, PushedChunk? Pushed)? TakeLayered(int firstToken)
    {
        var index = Layered.FindIndex(one => one.Piece.FirstToken == firstToken);
        if (index < 0)
        {
            return null;
        }
        var taken = Layered[index];
        Layered.RemoveAt(index);
        if (taken.Piece.LayersDone == taken.Piece.LayerCount)
        {
            return taken;
        }
        taken.Piece.Dispose();
        return null;
    }

    /// <summary>Hands the kept records on to the caller.</summary>
    public (IReadOnlyList<KvKey> Keys, IReadOnlyList<RecordLease> Records, IReadOnlyList<int> Blocks, int Tokens) TakeLent()
    {
        var lent = ((KvKey[])[.. _lentKeys], (RecordLease[])[.. _records], (int[])[.. _blocks], _lentTokens);
        _records.Clear();
        return lent;
    }

    public void DropLent()
    {
        _records.ForEach(record => record.Dispose());
        _records.Clear();
        Layered.ForEach(one => one.Piece.Dispose());
        Layered.Clear();
    }
}
