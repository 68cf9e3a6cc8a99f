using Ferry.Engine.Model;

namespace Ferry.UnitTests.Engine.Model;

/// <summary>Feeds a runner the way the scheduler would.</summary>
internal static class RunnerProbe
{
    public static int[] Tokens(int count, int vocabulary, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }

    /// <summary>Blocks in an order that is neither ascending nor contiguous.</summary>
    public static int[] Blocks(LlamaRunner runner, int tokenCount, int firstBlock = 0)
    {
        int count = (tokenCount + runner.KvPool.BlockTokens - 1) / runner.KvPool.BlockTokens;
        return [.. Enumerable.Range(firstBlock, count).Reverse()];
    }

    /// <summary>Logits of the last token of a prompt that is computed in chunks.</summary>
    public static float[] Prefill(LlamaRunner runner, int[] tokens, int chunkTokens, int firstBlock = 0)
    {
        int[] blocks = Blocks(runner, tokens.Length, firstBlock);
        var logits = new float[runner.VocabularySize];
        for (int first = 0; first < tokens.Length; first += chunkTokens)
        {
            int count = Math.Min(chunkTokens, tokens.Length - first);
            bool last = first + count == tokens.Length;
            runner.Forward([new SequenceSlice(tokens.AsMemory(first, count), first, blocks, last)], last ? logits : []);
        }
        return logits;
    }

    /// <summary>Greedy tokens after a prompt, one step each.</summary>
    public static int[] Greedy(LlamaRunner runner, int[] prompt, int count)
    {
        int[] blocks = Blocks(runner, prompt.Length + count);
        var logits = new float[runner.VocabularySize];
        runner.Forward([new SequenceSlice(prompt, 0, blocks, true)], logits);
        var result = new int[count];
        for (int index = 0; index < count; index++)
        {
            result[index] = logits.AsSpan().IndexOf(logits.Max());
            runner.Forward([new SequenceSlice(result.AsMemory(index, 1), prompt.Length + index, blocks, true)], logits);
        }
        return result;
    }
}
