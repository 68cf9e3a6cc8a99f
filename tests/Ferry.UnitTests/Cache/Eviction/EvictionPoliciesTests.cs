using Ferry.Cache.Eviction;
using Xunit;

namespace Ferry.UnitTests.Cache.Eviction;

public sealed class EvictionPoliciesTests
{
    [Fact]
    public void Create_AnyCase_MakesThePolicy() => Assert.NotNull(EvictionPolicies.Create("LRU"));

    [Fact]
    public void Create_UnknownName_ListsTheKnownOnes()
    {
        var error = Assert.Throws<ArgumentException>(() => EvictionPolicies.Create("belady"));
        Assert.Contains("\"belady\"", error.Message);
        Assert.All(EvictionPolicies.Names, name => Assert.Contains(name, error.Message));
    }

    [Fact]
    public void Names_EveryPolicy_KeepsItsCountThroughAddTouchAndRemove()
    {
        foreach (var name in EvictionPolicies.Names)
        {
            var policy = EvictionPolicies.Create(name);
            var nodes = Enumerable.Range(0, 20).Select(_ => new Node()).ToArray();
            Array.ForEach(nodes, policy.Added);
            var random = new Random(3);
            for (var step = 0; step < 200; step++)
            {
                policy.Touched(nodes[random.Next(nodes.Length)]);
            }
            Assert.Equal(20, policy.Count);

            var victims = new HashSet<EvictionNode>();
            while (policy.Victim() is { } victim)
            {
                Assert.True(victims.Add(victim));
                policy.Removed(victim);
            }
            Assert.Equal(20, victims.Count);
            Assert.Equal(0, policy.Count);
        }
    }

    [Fact]
    public void Lru_TouchedNode_GoesLast()
    {
        var policy = EvictionPolicies.Create("lru");
        var nodes = Enumerable.Range(0, 3).Select(_ => new Node()).ToArray();
        Array.ForEach(nodes, policy.Added);
        policy.Touched(nodes[0]);

        Node[] expected = [nodes[1], nodes[2], nodes[0]];
        foreach (var node in expected)
        {
            Assert.Same(node, policy.Victim());
            policy.Removed(node);
        }
    }

    private sealed class Node : EvictionNode;
}
