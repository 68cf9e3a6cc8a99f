using Ferry.Engine.Kernels;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.Kv.Layout;
using Ferry.TestKit.Models;
using Xunit;

namespace Ferry.UnitTests.Engine.Model;

/// <summary>The promise that the whole product stands on: a token's logits have the same bits however it came to be computed.</summary>
public sealed class LlamaRunnerInvarianceTests : IDisposable
{
    // Longer than one tile of keys (256), so that tiles are crossed, and no multiple of any block or chunk.
    private const int PromptTokens = 301;

    private static readonly KvPoolOptions s_plain = new() { BlockTokens = 16, Order = KvOrder.Nhd, Packing = KvPacking.Split, BlockCount = 64 };

    private readonly TinyModelDirectory _directory = new(11, new TinyModelShape { TiedEmbeddings = false, Heads = 12 });
    private readonly LlamaModel _model;
    private readonly int[] _prompt;
    private readonly float[] _expected;

    public LlamaRunnerInvarianceTests()
    {
        _model = LlamaModel.Load(_directory.Path);
        _prompt = RunnerProbe.Tokens(PromptTokens, _model.Config.VocabularySize, seed: 5);
        _expected = Logits(s_plain, new RunnerOptions { Threads = 1 }, PromptTokens);
    }

    public static TheoryData<KvOrder, KvPacking, bool, int, int> Layouts
    {
        get
        {
            var data = new TheoryData<KvOrder, KvPacking, bool, int, int>();
            foreach (var order in new[] { KvOrder.Nhd, KvOrder.Hnd })
            {
                foreach (var packing in Enum.GetValues<KvPacking>())
                {
                    foreach (int ranks in new[] { 1, 2, 4, 8 })
                    {
                        data.Add(order, packing, false, 16, ranks);
                        data.Add(order, packing, true, 128, ranks);
                    }
                }
            }
            return data;
        }
    }

    [Fact]
    public void Forward_ThePrompt_GivesLogitsThatDiffer()
    {
        Assert.All(_expected, value => Assert.True(float.IsFinite(value)));
        Assert.True(_expected.Distinct().Count() > 90);
        _prompt[0] ^= 1;
        Assert.NotEqual(_expected, Logits(s_plain, new RunnerOptions { Threads = 1 }, PromptTokens));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Forward_AnyLayoutBlockAndRanks_GivesTheSameBits(KvOrder order, KvPacking packing, bool blockMajor, int blockTokens, int ranks)
    {
        var options = new KvPoolOptions
        {
            Order = order,
            Packing = packing,
            BlockMajor = blockMajor,
            BlockTokens = blockTokens,
            TensorParallelSize = ranks,
            BlockCount = 1024 / blockTokens,
        };
        AssertSameBits(Logits(options, new RunnerOptions { Threads = 2 }, chunkTokens: 100));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(255)]
    [InlineData(300)]
    public void Forward_PromptInChunks_GivesTheSameBits(int chunkTokens) =>
        AssertSameBits(Logits(s_plain, new RunnerOptions { Threads = 1 }, chunkTokens));

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(5, 0)]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    public void Forward_AnyThreadsAndVectorWidth_GivesTheSameBits(int threads, int width)
    {
        var options = new RunnerOptions { Threads = threads, VectorWidth = (VectorWidth)width };
        AssertSameBits(Logits(s_plain, options, PromptTokens));
        AssertSameBits(Logits(s_plain, options, chunkTokens: 90));
    }

    [Theory]
    [InlineData(KvDType.Float16)]
    [InlineData(KvDType.Float32)]
    public void Forward_OtherKvTypes_AreInvariantToo(KvDType dtype)
    {
        var options = s_plain with { DType = dtype };
        float[] whole = Logits(options, new RunnerOptions { Threads = 1 }, PromptTokens);
        Assert.NotEqual(_expected, whole);
        foreach (var width in Enum.GetValues<VectorWidth>())
        {
            var other = options with { Order = KvOrder.Hnd, Packing = KvPacking.Interleaved, TensorParallelSize = 2 };
            Assert.Equal(Bits(whole), Bits(Logits(other, new RunnerOptions { Threads = 2, VectorWidth = width }, chunkTokens: 64)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(13)]
    public void Forward_BesideOtherSequences_GivesTheSameBits(int others)
    {
        using var runner = new LlamaRunner(_model, s_plain with { BlockCount = 512 }, new RunnerOptions { Threads = 2 });
        var random = new Random(others);
        var sequences = Enumerable.Range(0, others + 1).Select(index => new Sequence(
            index == others ? _prompt : RunnerProbe.Tokens(random.Next(1, 400), _model.Config.VocabularySize, seed: 100 + index),
            RunnerProbe.Blocks(runner, 400, index * 26))).ToArray();
        float[]? found = null;
        while (sequences.Any(sequence => sequence.Done < sequence.Tokens.Length))
        {
            // Each step takes a random piece of each unfinished sequence: single tokens beside long chunks, in random order.
            var step = sequences.Where(sequence => sequence.Done < sequence.Tokens.Length).OrderBy(_ => random.Next()).ToArray();
            var slices = step.Select(sequence => sequence.Next(random.Next(3) == 0 ? 1 : random.Next(1, 200))).ToArray();
            int wanted = slices.Count(slice => slice.WantsLogits);
            var logits = new float[wanted * runner.VocabularySize];
            runner.Forward(slices, logits);
            for (int index = 0, offset = 0; index < slices.Length; index++)
            {
                if (slices[index].WantsLogits)
                {
                    if (step[index].Tokens == _prompt && step[index].Done == _prompt.Length)
                    {
                        found = logits.AsSpan(offset, runner.VocabularySize).ToArray();
                    }
                    offset += runner.VocabularySize;
                }
            }
        }
        AssertSameBits(found!);
    }

    [Fact]
    public void Forward_StepLongerThanOnePass_GivesTheSameBits()
    {
        // 2 * 301 + 1 rows: the second prompt crosses from the first pass to the second.
        using var runner = new LlamaRunner(_model, s_plain, new RunnerOptions { Threads = 1 });
        var logits = new float[3 * runner.VocabularySize];
        runner.Forward(
        [
            new SequenceSlice(_prompt, 0, RunnerProbe.Blocks(runner, PromptTokens), true),
            new SequenceSlice(_prompt.AsMemory(0, 1), 0, RunnerProbe.Blocks(runner, 1, 19), true),
            new SequenceSlice(_prompt, 0, RunnerProbe.Blocks(runner, PromptTokens, 20), true),
        ], logits);
        AssertSameBits(logits[..runner.VocabularySize]);
        AssertSameBits(logits[(2 * runner.VocabularySize)..]);
    }

    [Theory]
    [InlineData(16, KvOrder.Hnd, KvPacking.Interleaved, 4)]
    [InlineData(128, KvOrder.Nhd, KvPacking.Split, 2)]
    [InlineData(16, KvOrder.Nhd, KvPacking.Halves, 1)]
    public void Forward_AfterKvWentOutAndInElsewhere_GivesTheSameBits(int blockTokens, KvOrder order, KvPacking packing, int ranks)
    {
        var options = new KvPoolOptions { BlockTokens = blockTokens, Order = order, Packing = packing, TensorParallelSize = ranks, BlockCount = 1024 / blockTokens };
        const int Moved = PromptTokens - 1;
        using var first = new LlamaRunner(_model, options, new RunnerOptions { Threads = 1 });
        int[] fromBlocks = RunnerProbe.Blocks(first, PromptTokens, 1);
        first.Forward([new SequenceSlice(_prompt.AsMemory(0, Moved), 0, fromBlocks, false)], []);

        using var second = new LlamaRunner(_model, options, new RunnerOptions { Threads = 1 });
        int[] toBlocks = RunnerProbe.Blocks(second, PromptTokens, 2);
        for (int rank = 0; rank < ranks; rank++)
        {
            var piece = new byte[first.KvPool.RankLayout(rank, Moved).PayloadBytes];
            first.KvPool.CopyOut(rank, fromBlocks, Moved, piece);
            second.KvPool.CopyIn(rank, toBlocks, Moved, 0, piece);
        }
        var logits = new float[second.VocabularySize];
        second.Forward([new SequenceSlice(_prompt.AsMemory(Moved), Moved, toBlocks, true)], logits);
        AssertSameBits(logits);
    }

    public void Dispose()
    {
        _model.Dispose();
        _directory.Dispose();
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];

    private float[] Logits(KvPoolOptions pool, RunnerOptions options, int chunkTokens)
    {
        using var runner = new LlamaRunner(_model, pool, options);
        return RunnerProbe.Prefill(runner, _prompt, chunkTokens);
    }

    private void AssertSameBits(float[] actual) => Assert.Equal(Bits(_expected), Bits(actual));

    private sealed class Sequence(int[] tokens, int[] blocks)
    {
        public int[] Tokens => tokens;

        public int Done { get; private set; }

        public SequenceSlice Next(int count)
        {
            int first = Done;
            Done = Math.Min(tokens.Length, first + count);
            return new SequenceSlice(tokens.AsMemory(first, Done - first), first, blocks, Done == tokens.Length || count % 2 == 0);
        }
    }
}
