using Ferry.Router;
using Ferry.Router.Discovery;
using Ferry.Router.Health;
using Ferry.Router.Policies;
using Xunit;

namespace Ferry.UnitTests.Router.Policies;

public sealed class NodePoliciesTests
{
    private readonly PairTable _pairs = new();
    private Node[] _nodes = [Named("a"), Named("b"), Named("c")];
    private RouterOptions _options = new();

    [Fact]
    public void RoundRobin_EqualNodes_TakesEachInTurn() => Assert.Equal("abcabc", Choose("round-robin", 6));

    [Fact]
    public void RoundRobin_OneOfTwiceTheWeight_TakesItTwiceAsOften()
    {
        _nodes = [Named("a", 2), Named("b"), Named("c")];
        var chosen = Choose("round-robin", 400);
        Assert.Equal((200, 100, 100), (chosen.Count(name => name == 'a'), chosen.Count(name => name == 'b'), chosen.Count(name => name == 'c')));
    }

    [Fact]
    public void LeastLoaded_RequestsAndQueuedTokens_BothCount()
    {
        _nodes[0].Begin(0);
        _nodes[1].Begin(100_000);
        _nodes[1].End();   // its request is gone, its tokens stand for a prompt that is still to be computed
        Assert.Equal("c", Choose("least-loaded", 1));
        _nodes[2].Begin(0);
        _nodes[2].Begin(0);
        Assert.Equal("a", Choose("least-loaded", 1));
    }

    [Fact]
    public void LeastLoaded_WhatTheNodeReports_CountsToo()
    {
        _nodes[0].Health.ReportedRequests = 7;   // another router's
        _nodes[1].Health.ReportedRequests = 7;
        Assert.Equal("c", Choose("least-loaded", 1));
    }

    [Fact]
    public void LeastLoaded_NodeInItsSlowStart_CountsAsBusier()
    {
        _options = _options with { SlowStart = TimeSpan.FromSeconds(10) };
        _nodes = [Named("a"), new Node(new Uri("http://b"), NodeRole.Prefill, since: 0)];
        foreach (var node in _nodes) { node.Begin(1000); }
        Assert.Equal("a", Choose("least-loaded", 1, now: 1000));
    }

    [Fact]
    public void PowerOfTwo_OneBusyNode_IsChosenOnlyAgainstNobody()
    {
        _nodes[1].Begin(1_000_000);
        Assert.DoesNotContain('b', Choose("power-of-two", 200));
        Assert.Equal(2, Choose("power-of-two", 200).Distinct().Count());
    }

    [Fact]
    public void SessionAffinity_ANodeLeaves_MovesOnlyItsOwnSessions()
    {
        _nodes = [.. "abcdefgh".Select(name => Named($"{name}"))];
        var before = Enumerable.Range(1, 500).Select(session => Choose("session-affinity", 1, session: (ulong)session)).ToArray();
        var left = _nodes[3].Name;
        _nodes = [.. _nodes.Where(node => node.Name != left)];
        var after = Enumerable.Range(1, 500).Select(session => Choose("session-affinity", 1, session: (ulong)session)).ToArray();
        for (var session = 0; session < before.Length; session++)
        {
            if (before[session] != left) { Assert.Equal(before[session], after[session]); }
        }
        Assert.Equal(8, before.Distinct().Count());
    }

    [Fact]
    public void PrefixAware_LongPrefix_WinsUntilItsNodeIsBusierByAsMuch()
    {
        Assert.Equal("b", Choose("prefix-aware", 1, hits: [0, 3000, 0]));
        _nodes[1].Begin(2500);
        Assert.Equal("b", Choose("prefix-aware", 1, hits: [0, 3000, 0]));
        _nodes[1].Begin(1000);
        Assert.NotEqual("b", Choose("prefix-aware", 1, hits: [0, 3000, 0]));
    }

    [Fact]
    public void PrefixAware_PromptsNobodyKnows_AreSpread() => Assert.Equal(3, Choose("prefix-aware", 3).Distinct().Count());

    [Fact]
    public void CostBased_SlowLink_OutweighsAPrefix()
    {
        var decode = new Node(new Uri("http://d"), NodeRole.Decode);
        _pairs.Of(_nodes[0], decode).Succeeded(1_000_000, 100);                  // 10 kB/s
        _pairs.Of(_nodes[1], decode).Succeeded(10_000_000_000, 1);
        _pairs.Of(_nodes[2], decode).Succeeded(10_000_000_000, 1);
        Assert.Equal("b", Choose("cost-based", 1, hits: [4000, 1000, 0], decode: decode));
    }

    [Fact]
    public void CostBased_MeasuredRate_CountsForTheFasterNode()
    {
        _nodes[0].Measured(1000, 1);
        _nodes[1].Measured(1000, 1);
        _nodes[2].Measured(50_000, 1);
        Assert.Equal("c", Choose("cost-based", 1));
    }

    [Fact]
    public void Names_EveryPolicy_CanBeMadeAndChooses()
    {
        Assert.Equal(["cost-based", "least-loaded", "power-of-two", "prefix-aware", "round-robin", "session-affinity"], NodePolicies.Names.Order(StringComparer.Ordinal));
        Assert.All(NodePolicies.Names, name => Assert.Contains(Choose(name, 1), "abc", StringComparison.Ordinal));
    }

    private readonly Dictionary<string, INodePolicy> _made = [];

    private string Choose(string policy, int times, double[]? hits = null, ulong session = 0, Node? decode = null, long now = 1_000_000)
    {
        if (!_made.TryGetValue(policy, out var made)) { _made[policy] = made = NodePolicies.Create(policy, 42); }
        return string.Concat(Enumerable.Range(0, times).Select(_ =>
        {
            var input = new PolicyInput(_nodes, hits ?? new double[_nodes.Length])
            {
                PromptTokens = 5000,
                Options = _options,
                Pairs = _pairs,
                Now = now,
                SessionHash = session,
                Decode = decode,
            };
            return _nodes[made.Choose(input)].Name;
        }));
    }

    private static Node Named(string name, double weight = 1) => new(new NodeSpec(new Uri($"http://{name}")) { Weight = weight }, NodeRole.Prefill);
}
