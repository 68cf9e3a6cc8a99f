using Ferry.Cache.Eviction;
using Xunit;

namespace Ferry.UnitTests.Cache.Eviction;

public sealed class EvictionPoliciesTests
{
    public static TheoryData<string> Names => [.. EvictionPolicies.Names];

    private static IEvictionPolicy Create(string name, int nodes) => EvictionPolicies.Create(name).Create(new PolicyNodes(nodes));

    [Fact]
    public void Create_AnyCase_HasTheNameAsListed() => Assert.Equal("s3fifo", EvictionPolicies.Create("S3FIFO").Name);

    [Fact]
    public void Names_AreLMCachesAndNoOther() => Assert.Equal(["fifo", "lfu", "lru", "mru", "s3fifo"], EvictionPolicies.Names);

    [Fact]
    public void Create_UnknownName_ListsTheKnownOnes()
    {
        var error = Assert.Throws<ArgumentException>(() => EvictionPolicies.Create("belady"));
        Assert.Contains("\"belady\"", error.Message);
        Assert.All(EvictionPolicies.Names, name => Assert.Contains(name, error.Message));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryPolicy_ThroughAddTouchParkAndRemove_KeepsItsCountAndNamesEachVictimOnce(string name)
    {
        var policy = Create(name, 20);
        for (var node = 0; node < 20; node++)
        {
            policy.Added(node);
        }
        var random = new Random(3);
        for (var step = 0; step < 400; step++)
        {
            var node = random.Next(20);
            if (step % 7 == 0)
            {
                policy.Parked(node);
                Assert.Equal(19, policy.Count);
                policy.Resumed(node);
            }
            policy.Touched(node, isUse: step % 3 != 0);
        }
        Assert.Equal(20, policy.Count);

        var victims = new HashSet<int>();
        while (policy.Victim() is var victim && victim != IEvictionPolicy.None)
        {
            Assert.True(victims.Add(victim));
            policy.Removed(victim, isEvicted: true);
        }
        Assert.Equal((20, 0), (victims.Count, policy.Count));
    }

    [Theory]
    [InlineData("lru", new[] { 1, 2, 0 })]
    [InlineData("fifo", new[] { 0, 1, 2 })]
    [InlineData("mru", new[] { 0, 2, 1 })]
    [InlineData("lfu", new[] { 1, 2, 0 })]
    [InlineData("s3fifo", new[] { 0, 1, 2 })] // One use is not enough to leave the small queue.
    public void Victim_FirstOfThreeUsedOnce_FollowsThePolicy(string name, int[] expected)
    {
        var policy = Create(name, 3);
        for (var node = 0; node < 3; node++)
        {
            policy.Added(node);
        }
        policy.Touched(0, isUse: true);
        foreach (var node in expected)
        {
            Assert.Equal(node, policy.Victim());
            policy.Removed(node, isEvicted: true);
        }
    }

    [Fact]
    public void S3Fifo_ChunkThatComesBackSoon_GoesToTheMainQueue()
    {
        var policy = Create("s3fifo", 40);
        policy.Added(0);
        policy.Touched(0, isUse: true);
        policy.Touched(0, isUse: true); // Twice: it will move to the main queue, which makes the ghost queue remember one.
        policy.Added(1);
        Assert.Equal(1, policy.Victim());
        policy.Removed(1, isEvicted: true);
        policy.Added(1);
        policy.Added(2);

        Assert.Equal(2, policy.Victim());
    }
}
