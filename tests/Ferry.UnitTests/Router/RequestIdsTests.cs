using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Ferry.UnitTests.Router;

public sealed class RequestIdsTests
{
    [Fact]
    public void Next_ClientSentNone_AreGuidsThatNoOtherRouterMakes()
    {
        RequestIds[] routers = [new(), new()];
        var ids = routers.SelectMany(router => Enumerable.Range(0, 1000).Select(_ =>
        {
            var id = router.Next(new DefaultHttpContext(), out var client);
            Assert.Equal(id, client);
            return Guid.ParseExact(id, "D");
        })).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    [Fact]
    public void Next_ClientSendsTheSameAgain_NodesGetTwo()
    {
        var ids = new RequestIds();
        var context = new DefaultHttpContext();
        context.Request.Headers[RequestIds.Header] = "mine";
        var (one, other) = (ids.Next(context, out var client), ids.Next(context, out _));
        Assert.Equal("mine", client);
        Assert.Matches("^mine-[0-9a-f]{8}$", one);
        Assert.NotEqual(one, other);
    }
}
