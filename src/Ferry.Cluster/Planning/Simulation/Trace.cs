namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Requests of a real workload, in order of time. Blocks are numbered from 0 without gaps, so that tables over them are arrays.</summary>
public sealed class Trace
{
    /// <summary>Tokens that one block id of the trace stands for.</summary>
    public const int BlockTokens = 512;

    private readonly int[] _blocks;
    private readonly int[] _firstBlock;

    internal Trace(double[] seconds, int[] inputTokens, int[] outputTokens, int[] firstBlock, int[] blocks, int differentBlocks)
    {
        (Seconds, InputTokens, OutputTokens, _firstBlock, _blocks, DifferentBlocks) = (seconds, inputTokens, outputTokens, firstBlock, blocks, differentBlocks);
    }

    public int Count => Seconds.Length;

    /// <summary>Arrival of each request; the first is at 0.</summary>
    internal double[] Seconds { get; }

    internal int[] InputTokens { get; }

    internal int[] OutputTokens { get; }

    /// <summary>Blocks of all requests together.</summary>
    public int BlockCount => _blocks.Length;

    public int DifferentBlocks { get; }

    public double DurationSeconds => Count == 0 ? 0 : Seconds[^1];

    public double AverageInputTokens => Count == 0 ? 0 : InputTokens.Average();

    public double AverageOutputTokens => Count == 0 ? 0 : OutputTokens.Average();

    public int LongestTokens => Count == 0 ? 0 : Enumerable.Range(0, Count).Max(request => InputTokens[request] + OutputTokens[request]);

    /// <summary>The blocks of a request's prompt, first block first; equal ids are equal prefixes.</summary>
    internal ReadOnlySpan<int> BlocksOf(int request) => _blocks.AsSpan(_firstBlock[request], _firstBlock[request + 1] - _firstBlock[request]);

    /// <summary>The trace <paramref name="times"/> over, one after the other: the same prompts come again as in a longer run.</summary>
    public Trace Repeat(int times)
    {
        var (count, gap) = (Count, DurationSeconds + (Count > 1 ? DurationSeconds / (Count - 1) : 1));
        var firstBlock = new int[(count * times) + 1];
        var blocks = new int[checked(_blocks.Length * times)];
        var seconds = new double[count * times];
        for (var copy = 0; copy < times; copy++)
        {
            _blocks.CopyTo(blocks, copy * _blocks.Length);
            for (var request = 0; request < count; request++)
            {
                seconds[(copy * count) + request] = Seconds[request] + (copy * gap);
                firstBlock[(copy * count) + request] = _firstBlock[request] + (copy * _blocks.Length);
            }
        }
        firstBlock[^1] = blocks.Length;
        return new(seconds, [.. Enumerable.Repeat(InputTokens, times).SelectMany(tokens => tokens)], [.. Enumerable.Repeat(OutputTokens, times).SelectMany(tokens => tokens)], firstBlock, blocks, DifferentBlocks);
    }
}
