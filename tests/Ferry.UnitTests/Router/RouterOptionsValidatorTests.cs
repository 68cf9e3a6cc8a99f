using Ferry.Router;
using Ferry.Router.Policies;
using Xunit;

namespace Ferry.UnitTests.Router;

public sealed class RouterOptionsValidatorTests
{
    private static readonly RouterOptions Good = new() { Prefill = [new Uri("http://a:8000")], Decode = [new Uri("http://b:8001")] };

    [Fact]
    public void Validate_TwoNodes_HasNoErrors() => Assert.Empty(RouterOptionsValidator.Validate(Good));

    [Fact]
    public void Validate_SeveralMistakes_ReportsAllAtOnce()
    {
        var errors = RouterOptionsValidator.Validate(Good with
        {
            Prefill = [],
            Decode = [new Uri("http://b:8001/v1"), new Uri("ftp://c"), new Uri("http://d"), new Uri("http://d")],
            MaxInFlight = 0,
            Policy = "random",
        });
        Assert.Equal(6, errors.Count);
        Assert.Contains(errors, error => error.StartsWith("--policy is 'random'; it must be one of round-robin", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("http://d/ is named twice", StringComparison.Ordinal));
    }

    [Fact]
    public void RoundRobin_TriedNodes_AreLeftOut()
    {
        var pool = new NodePool([new Uri("http://a"), new Uri("http://b"), new Uri("http://c")], NodeRole.Prefill, NodePolicies.Create("round-robin"));
        Assert.Equal(["a", "b", "c", "a"], Enumerable.Range(0, 4).Select(_ => pool.TryChoose([])!.Name));
        Assert.Equal("b", pool.TryChoose([pool.Nodes[0], pool.Nodes[2]])!.Name);
        Assert.Null(pool.TryChoose([.. pool.Nodes]));
    }
}
