using Ferry.Engine.KvCache;
using Ferry.Engine.Model;

namespace Ferry.Benchmarks.Engine;

/// <summary>Ferry's engine under measurement: prefill of a prompt, decoding of a batch.</summary>
internal sealed class FerrySide : IDisposable
{
    private readonly LlamaRunner _runner;
    private readonly Random _random = new(1);
    private int _highestBlock = -1;

    public FerrySide(LlamaModel model, int threads, int maxTokens, int maxBatch)
    {
        var pool = new KvPoolOptions { BlockCount = (maxTokens + 15) / 16 * maxBatch };
        _runner = new LlamaRunner(model, pool, new RunnerOptions { Threads = threads });
    }

    /// <summary>Bytes of the blocks that any measurement has written.</summary>
    public long TouchedPoolBytes => _runner.KvPool.BlockBytes * (_highestBlock + 1);

    public long ScratchBytes => _runner.ScratchBytes;

    /// <summary>Tokens a second of one prompt, in one step.</summary>
    public Rate Prefill(int tokens)
    {
        var slice = new SequenceSlice(Tokens(tokens), 0, Blocks(0, tokens), true);
        var logits = new float[_runner.VocabularySize];
        return Rate.Of(tokens, () => _runner.Forward([slice], logits));
    }

    /// <summary>Tokens a second of <paramref name="batch"/> sequences, one token each a step, after <paramref name="contextTokens"/> tokens that lie in the pool.</summary>
    public Rate Decode(int steps, int batch, int contextTokens = 0)
    {
        var tokens = Tokens(batch * steps);
        var blocks = Enumerable.Range(0, batch).Select(index => Blocks(index, contextTokens + steps)).ToArray();
        var logits = new float[batch * _runner.VocabularySize];
        var slices = new SequenceSlice[batch];
        return Rate.Of(batch * steps, () =>
        {
            for (int step = 0; step < steps; step++)
            {
                for (int index = 0; index < batch; index++)
                {
                    slices[index] = new SequenceSlice(tokens.AsMemory((index * steps) + step, 1), contextTokens + step, blocks[index], true);
                }
                _runner.Forward(slices, logits);
            }
        });
    }

    public void Dispose() => _runner.Dispose();

    private int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(300, SyntheticModel.Vocabulary))];

    private int[] Blocks(int sequence, int tokens)
    {
        int count = (tokens + _runner.KvPool.BlockTokens - 1) / _runner.KvPool.BlockTokens;
        _highestBlock = Math.Max(_highestBlock, ((sequence + 1) * count) - 1);
        return [.. Enumerable.Range(sequence * count, count)];
    }
}
