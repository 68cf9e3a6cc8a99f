using Ferry.Router;
using Ferry.Router.Admission;
using Ferry.Router.Security;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Router.Admission;

public sealed class AdmissionQueueTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly FakeTimeProvider _clock = new();
    private RouterOptions _options = new() { MaxInFlight = 1, MaxQueue = 8, MaxQueuePerTenant = 6, QueueTimeout = TimeSpan.FromSeconds(10), PriorityTokens = 1000 };
    private readonly AdmissionQueue _queue;

    public AdmissionQueueTests() => _queue = new AdmissionQueue(() => _options, _clock);

    [Fact]
    public async Task Enter_RoomLeft_IsLetInAtOnce()
    {
        using var place = await _queue.EnterAsync(Tenant.Anonymous, 0, null, None);
        Assert.Equal((1, 0), (_queue.InFlight, _queue.Waiting));
    }

    [Fact]
    public async Task Enter_QueueFull_Is429WithRetryAfter()
    {
        using var place = await _queue.EnterAsync(Tenant.Anonymous, 0, null, None);
        _options = _options with { MaxQueue = 0 };
        var refused = await Assert.ThrowsAsync<RouterException>(() => Enter("anonymous"));
        Assert.Equal(429, refused.Status);
        Assert.True(refused.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public async Task Enter_OneTenantFillsItsShare_OthersStillQueue()
    {
        using var place = await _queue.EnterAsync(Tenant.Anonymous, 0, null, None);
        for (var index = 0; index < 6; index++) { _ = Enter("greedy"); }
        Assert.Contains("'greedy'", (await Assert.ThrowsAsync<RouterException>(() => Enter("greedy"))).Message, StringComparison.Ordinal);
        _ = Enter("modest");
        Assert.Equal(7, _queue.Waiting);
    }

    [Fact]
    public async Task Leave_ManyOfOneTenantAndOneOfAnother_ServesTheOtherSecond()
    {
        var order = await OrderAsync(("greedy", 1, 0), ("greedy", 1, 0), ("greedy", 1, 0), ("greedy", 1, 0), ("modest", 1, 0));
        Assert.Equal("greedy modest greedy greedy greedy", order);
    }

    [Fact]
    public async Task Leave_TenantOfThreeTimesTheWeight_GetsThreeOfFour()
    {
        var order = await OrderAsync(("a", 3, 0), ("b", 1, 0), ("a", 3, 0), ("b", 1, 0), ("a", 3, 0), ("a", 3, 0));
        Assert.Equal(3, order.Split(' ').Take(4).Count(name => name == "a"));
    }

    [Fact]
    public async Task Leave_LowerPriorityNumber_IsServedFirst()
    {
        var order = await OrderAsync(("late", 1, 5), ("usual", 1, 0), ("urgent", 1, -5));
        Assert.Equal("urgent usual late", order);
    }

    [Fact]
    public async Task Enter_NoPlaceInTime_Is429AndLeavesNothing()
    {
        using var place = await _queue.EnterAsync(Tenant.Anonymous, 0, null, None);
        var waiting = _queue.EnterAsync(Tenant.Anonymous, 0, null, None).AsTask();
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(429, (await Assert.ThrowsAsync<RouterException>(() => waiting)).Status);
        Assert.Equal((1, 0), (_queue.InFlight, _queue.Waiting));
    }

    [Fact]
    public async Task Enter_ClientGoesAway_LeavesNothing()
    {
        var place = await _queue.EnterAsync(Tenant.Anonymous, 0, null, None);
        using var client = new CancellationTokenSource();
        var waiting = _queue.EnterAsync(Tenant.Anonymous, 0, null, client.Token).AsTask();
        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        place.Dispose();
        Assert.Equal((0, 0), (_queue.InFlight, _queue.Waiting));
    }

    [Fact]
    public async Task Dispose_Twice_GivesThePlaceBackOnce()
    {
        var place = await _queue.EnterAsync(Tenant.Anonymous, 0, null, None);
        place.Dispose();
        place.Dispose();
        Assert.Equal(0, _queue.InFlight);
    }

    private async Task<AdmissionPlace> Enter(string tenant) => await _queue.EnterAsync(new Tenant(tenant), 0, 100, None);

    /// <summary>Queues these behind one that holds the only place, and says in which order they are served.</summary>
    private async Task<string> OrderAsync(params (string Name, double Weight, int Priority)[] requests)
    {
        var served = new List<string>();
        var first = await _queue.EnterAsync(Tenant.Anonymous, 0, null, None);
        var all = requests.Select(async request =>
        {
            using var place = await _queue.EnterAsync(new Tenant(request.Name, request.Weight), request.Priority, 4000, None);
            served.Add(request.Name);   // one at a time: MaxInFlight is 1
        }).ToArray();
        first.Dispose();
        await Task.WhenAll(all);
        return string.Join(' ', served);
    }
}
