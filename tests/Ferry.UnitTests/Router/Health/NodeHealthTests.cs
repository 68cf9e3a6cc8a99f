using System.Text;
using Ferry.Router;
using Ferry.Router.Health;
using Xunit;

namespace Ferry.UnitTests.Router.Health;

public sealed class NodeHealthTests
{
    private static readonly RouterOptions Options = new() { UnhealthyAfter = 2, HealthyAfter = 3, EjectAfter = 3, EjectTime = TimeSpan.FromSeconds(5), PairFailures = 2, PairOpenTime = TimeSpan.FromSeconds(30) };
    private readonly NodeHealth _health = new(long.MinValue / 2);

    [Fact]
    public void Probed_FailuresAndSuccesses_ChangeTheStateOnlyInARow()
    {
        Assert.False(_health.Probed("no", 0, Options));
        Assert.False(_health.Probed(null, 0, Options));
        Assert.False(_health.Probed("no", 0, Options));
        Assert.True(_health.Probed("no", 0, Options));
        Assert.False(_health.IsUsable(0));
        Assert.False(_health.Probed(null, 0, Options));
        Assert.False(_health.Probed(null, 0, Options));
        Assert.True(_health.Probed(null, 1000, Options));
        Assert.True(_health.IsUsable(1000));
    }

    [Fact]
    public void Probed_NodeThatNeverAnswered_IsUpAtItsFirstAnswer()
    {
        for (var probe = 0; probe < 5; probe++) { _health.Probed("no", 0, Options); }
        Assert.False(_health.IsUsable(0));
        Assert.True(_health.Probed(null, 1000, Options));
        Assert.True(_health.IsUsable(1000));
    }

    [Fact]
    public void Ramp_NodeThatCameBack_GrowsToItsFullShare()
    {
        for (var probe = 0; probe < 2; probe++) { _health.Probed("no", 0, Options); }
        for (var probe = 0; probe < 3; probe++) { _health.Probed(null, 1000, Options); }
        var slow = TimeSpan.FromSeconds(10);
        Assert.Equal([0.05, 0.5, 1, 1], [_health.Ramp(1000, slow), _health.Ramp(6000, slow), _health.Ramp(11_000, slow), _health.Ramp(1000, TimeSpan.Zero)]);
    }

    [Fact]
    public void LegFailed_ThreeInARow_LeavesTheNodeOutLongerEachTime()
    {
        Assert.Equal([null, null, TimeSpan.FromSeconds(5)], Fail(0));
        Assert.False(_health.IsUsable(4999));
        Assert.True(_health.IsUsable(5000));
        Assert.Equal([null, null, TimeSpan.FromSeconds(10)], Fail(5000));
        _health.LegSucceeded();
        Assert.Equal([null, null, TimeSpan.FromSeconds(5)], Fail(20_000));
    }

    [Fact]
    public void LegFailed_HalfOfAllNeverInARow_LeavesTheNodeOut()
    {
        TimeSpan? left = null;
        for (var leg = 0; leg < 40 && left is null; leg++)
        {
            left = _health.LegFailed(0, Options);
            if (left is null) { _health.LegSucceeded(); }
        }
        Assert.NotNull(left);
    }

    [Fact]
    public void Pair_TwoFailures_IsLeftOutThenTriedByOne()
    {
        var pair = new PairState();
        Assert.False(pair.Failed(0, Options));
        Assert.True(pair.Failed(0, Options));
        Assert.False(pair.IsUsable(29_999));
        Assert.True(pair.IsUsable(30_000));
        Assert.True(pair.TryUse(30_000, Options));
        Assert.False(pair.TryUse(30_000, Options));   // one request tries, not all
        Assert.True(pair.Failed(30_001, Options));    // and its failure is enough
        Assert.False(pair.IsUsable(40_000));
        Assert.True(pair.TryUse(60_001, Options));
        pair.Succeeded(0, 0);
        Assert.True(pair.TryUse(60_002, Options));
        Assert.True(pair.TryUse(60_002, Options));
    }

    [Fact]
    public void NodeLoad_MetricsOfSeveralEngines_AreSummed()
    {
        var text = Encoding.UTF8.GetBytes("""
            # HELP vllm:num_requests_running Number of requests
            vllm:num_requests_running{engine="0",model_name="m"} 3.0
            vllm:num_requests_running{engine="1",model_name="m"} 4.0
            vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
            vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
            vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
            vllm:num_requests_running_total 99
            other 5

            """);
        var reader = new NodeLoadReader();
        var buffer = new byte[80];
        var (kept, position) = (0, 0);
        while (position < text.Length)
        {
            var count = Math.Min(buffer.Length - kept, text.Length - position);
            text.AsSpan(position, count).CopyTo(buffer.AsSpan(kept));
            position += count;
            kept = reader.Take(buffer, kept + count);
        }
        Assert.Equal((9, 0.75), (reader.Requests, reader.KvUsage));
    }

    private TimeSpan?[] Fail(long now) => [.. Enumerable.Range(0, 3).Select(_ => _health.LegFailed(now, Options))];
}
