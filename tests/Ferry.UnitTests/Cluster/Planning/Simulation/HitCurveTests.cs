using Ferry.Cluster.Planning.Simulation;
using Ferry.Cluster.Spec;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cluster.Planning.Simulation;

/// <summary>Published ratios of the Mooncake conversation trace (FAST'25), which is third-party data and lies outside the repository.</summary>
public sealed class HitCurveTests
{
    private static readonly Lazy<Trace?> Conversation = new(() => ConversationTrace.TryFind() is { } path ? TraceFile.Read(path) : null);

    private static Trace Required()
    {
        Assert.SkipWhen(Conversation.Value is null, $"The conversation trace is not here; {ConversationTrace.Variable} names the directory that has conversation_trace.jsonl.");
        return Conversation.Value!;
    }

    [Theory]
    [InlineData(1_000, 0.0445, 0.0434)]
    [InlineData(5_000, 0.1104, 0.1053)]
    [InlineData(10_000, 0.2112, 0.1815)]
    [InlineData(20_000, 0.2875, 0.2577)]
    [InlineData(30_000, 0.3257, 0.2944)]
    [InlineData(50_000, 0.3546, 0.3335)]
    [InlineData(100_000, 0.3637, 0.3563)]
    [InlineData(1_000_000, 0.3664, 0.3664)]
    public void Ratio_OfTheConversationTrace_IsThePublishedOne(int capacityBlocks, double lru, double fifo)
    {
        var trace = Required();

        Assert.Equal(lru, HitCurve.Ratio(trace, capacityBlocks, CachePolicy.Lru), 0.002);
        Assert.Equal(fifo, HitCurve.Ratio(trace, capacityBlocks, CachePolicy.Fifo), 0.002);
    }

    [Fact]
    public void Read_ConversationTrace_HasThePublishedNumbers()
    {
        var trace = Required();

        Assert.Equal((12_031, 288_500, 182_790), (trace.Count, trace.BlockCount, trace.DifferentBlocks));
        Assert.Equal((12_035, 343), (Math.Round(trace.AverageInputTokens), Math.Round(trace.AverageOutputTokens)));
    }

    [Fact]
    public void Of_Trace_EndsWhereEverythingFits()
    {
        var trace = Required();
        var curve = HitCurve.Of(trace, 327_680, CachePolicy.Lru);

        Assert.Equal(0.3664, curve[^1].Ratio, 0.002);
        Assert.All(curve.Zip(curve.Skip(1)), pair => Assert.True(pair.First.Ratio <= pair.Second.Ratio));
    }
}
