using Ferry.Engine.KvCache;
using Ferry.Engine.Model;

namespace Ferry.TestKit.Engines;

/// <summary>
/// A model whose "KV" of a token is a hash of the token and of all KV before it, and whose logits are a hash of all KV up to the
/// token, every number read back from the pool: a wrong block, a missing copy or a token out of place changes the output.
/// </summary>
public sealed class FakeModelRunner(FakeKvPool pool, int vocabularySize) : IModelRunner
{
    public int VocabularySize => vocabularySize;

    public KvPool KvPool => pool;

    /// <summary>Tokens computed so far.</summary>
    public long ComputedTokens { get; private set; }

    /// <summary>Tokens of each step.</summary>
    public List<int> StepTokens { get; } = [];

    /// <summary>Called with the logits of each step, to damage them.</summary>
    public Action<Span<float>>? Tamper { get; set; }

    /// <summary>Thrown by the next step, once.</summary>
    public Exception? FailNext { get; set; }

    public void Forward(ReadOnlySpan<SequenceSlice> slices, Span<float> logits)
    {
        if (FailNext is { } failure)
        {
            FailNext = null;
            throw failure;
        }
        var (row, tokens) = (0, 0);
        foreach (var slice in slices)
        {
            var state = ReadPrefix(slice.BlockTable.Span, slice.FirstPosition);
            for (var i = 0; i < slice.Tokens.Length; i++)
            {
                var position = slice.FirstPosition + i;
                var value = Mix(state + (ulong)slice.Tokens.Span[i]);
                pool.Write(slice.BlockTable.Span[position / pool.BlockTokens], position % pool.BlockTokens, value);
                state = Mix(state ^ value);
            }
            tokens += slice.Tokens.Length;
            if (slice.WantsLogits) { WriteLogits(state, logits.Slice(row++ * vocabularySize, vocabularySize)); }
        }
        ComputedTokens += tokens;
        StepTokens.Add(tokens);
        Tamper?.Invoke(logits);
    }

    /// <summary>The logits behind <paramref name="tokens"/>, computed without a pool.</summary>
    public float[] Expected(IEnumerable<int> tokens)
    {
        var state = 0UL;
        foreach (var token in tokens) { state = Mix(state ^ Mix(state + (ulong)token)); }
        var logits = new float[vocabularySize];
        WriteLogits(state, logits);
        return logits;
    }

    /// <summary>What greedy decoding gives.</summary>
    public int[] ExpectedGreedy(IReadOnlyList<int> prompt, int count)
    {
        var tokens = new List<int>(prompt);
        for (var i = 0; i < count; i++)
        {
            var logits = Expected(tokens);
            tokens.Add(Array.IndexOf(logits, logits.Max()));
        }
        return [.. tokens.Skip(prompt.Count)];
    }

    private ulong ReadPrefix(ReadOnlySpan<int> blockTable, int tokenCount)
    {
        var state = 0UL;
        for (var position = 0; position < tokenCount; position++)
        {
            state = Mix(state ^ pool.Read(blockTable[position / pool.BlockTokens], position % pool.BlockTokens));
        }
        return state;
    }

    private static void WriteLogits(ulong state, Span<float> logits)
    {
        for (var id = 0; id < logits.Length; id++) { logits[id] = (Mix(state + ((ulong)id << 32)) >> 40) / (float)(1 << 22); }
    }

    /// <summary>splitmix64's finisher.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
