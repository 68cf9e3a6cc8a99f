using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Eviction;

/// <summary>The real store and its policies against the plain reference, hit for hit.</summary>
public sealed class PolicyTraceTests
{
    private static readonly Lazy<IReadOnlyList<int[]>?> Trace = new(() => ConversationTrace.TryFind() is { } path ? ConversationTrace.Load(path) : null);

    public static TheoryData<string, int> Cases()
    {
        var cases = new TheoryData<string, int>();
        foreach (var policy in ReferenceCache.ByPolicy.Keys)
        {
            cases.Add(policy, 1_000);
            cases.Add(policy, 10_000);
        }
        return cases;
    }

    public static TheoryData<string> Policies => [.. ReferenceCache.ByPolicy.Keys];

    private static IReadOnlyList<int[]> Requests()
    {
        Assert.SkipWhen(Trace.Value is null, $"The conversation trace is not here; {ConversationTrace.Variable} names the directory that has conversation_trace.jsonl.");
        return Trace.Value!;
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void Hits_OnRandomChains_EqualTheReferences(string policy)
    {
        var random = new Random(17);
        int[][] requests =
        [
            .. Enumerable.Range(0, 4000).Select(_ =>
            {
                // Conversations of skewed popularity: a chain's first block names it, the next ones follow from it.
                var conversation = (int)Math.Pow(300, random.NextDouble());
                return Enumerable.Range(0, 1 + random.Next(12)).Select(position => (conversation * 100) + position).ToArray();
            }),
        ];
        foreach (var capacity in (int[])[7, 60, 400])
        {
            Assert.Equal(ReferenceCache.ByPolicy[policy](capacity).Run(requests), CacheReplay.Run(requests, capacity, policy).Hits);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Hits_OnTheConversationTrace_EqualTheReferences(string policy, int capacityBlocks)
    {
        var requests = Requests();
        Assert.Equal(ReferenceCache.ByPolicy[policy](capacityBlocks).Run(requests), CacheReplay.Run(requests, capacityBlocks, policy).Hits);
    }

    [Theory]
    [InlineData(1_000, 0.0445)]
    [InlineData(5_000, 0.1104)]
    [InlineData(10_000, 0.2112)]
    [InlineData(20_000, 0.2875)]
    [InlineData(50_000, 0.3546)]
    public void Lru_OnTheConversationTrace_HasThePublishedHitRatio(int capacityBlocks, double expected)
    {
        var (hits, blocks) = CacheReplay.Run(Requests(), capacityBlocks, "lru");
        Assert.Equal(288_500, blocks);
        Assert.Equal(expected, (double)hits / blocks, 0.002);
    }
}
