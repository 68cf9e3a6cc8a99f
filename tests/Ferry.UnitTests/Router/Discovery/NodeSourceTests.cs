using System.Net;
using System.Net.Sockets;
using Ferry.Router;
using Ferry.Router.Discovery;
using Ferry.Router.Prefixes.Sharing;
using Xunit;

namespace Ferry.UnitTests.Router.Discovery;

public sealed class NodeSourceTests
{
    [Fact]
    public async Task Dns_SeveralAddresses_AreNodesOfItsRole()
    {
        var source = new DnsNodeSource("pods.svc:8000", NodeRole.Decode, () => TimeSpan.FromSeconds(5), (host, _) =>
            Task.FromResult(host == "pods.svc" ? new[] { IPAddress.Parse("10.0.0.1"), IPAddress.Parse("fd00::1") } : []));
        NodeLists? found = null;
        Assert.Equal(TimeSpan.FromSeconds(5), await source.LookAsync(lists => found = lists, CancellationToken.None));
        Assert.Empty(found!.Prefill);
        Assert.Equal(["http://10.0.0.1:8000/", "http://[fd00::1]:8000/"], found.Decode.Select(node => node.Address.ToString()));
    }

    [Fact]
    public async Task Dns_NoAddressesOrNoAnswer_SaysSoAndChangesNothing()
    {
        static void Never(NodeLists lists) => Assert.Fail("nothing was found");
        var empty = new DnsNodeSource("pods:1", NodeRole.Prefill, () => default, (_, _) => Task.FromResult<IPAddress[]>([]));
        await Assert.ThrowsAsync<NodeSourceException>(() => empty.LookAsync(Never, CancellationToken.None));
        var broken = new DnsNodeSource("pods:1", NodeRole.Prefill, () => default, (_, _) => throw new SocketException((int)SocketError.HostNotFound));
        await Assert.ThrowsAsync<NodeSourceException>(() => broken.LookAsync(Never, CancellationToken.None));
    }

    [Fact]
    public async Task File_ChangedAndThenBroken_IsReadAgainAndThenRefused()
    {
        var path = Path.Combine(Path.GetTempPath(), $"ferry-nodes-{Guid.NewGuid():N}.yaml");
        try
        {
            var source = new FileNodeSource(path, () => TimeSpan.FromSeconds(1));
            var found = new List<NodeLists>();
            await Assert.ThrowsAsync<NodeSourceException>(() => source.LookAsync(found.Add, CancellationToken.None));
            await File.WriteAllTextAsync(path, "prefill: [\"http://a:1\"]\n");
            await source.LookAsync(found.Add, CancellationToken.None);
            await source.LookAsync(found.Add, CancellationToken.None);
            await File.WriteAllTextAsync(path, "prefill: [\"http://a:1\"]\ndecode: [\"http://b:2\"]\n");
            await source.LookAsync(found.Add, CancellationToken.None);
            await File.WriteAllTextAsync(path, "prefil: [\"http://a:1\"]\n");
            var refused = await Assert.ThrowsAsync<NodeSourceException>(() => source.LookAsync(found.Add, CancellationToken.None));
            Assert.Contains(":1:1: unknown key 'prefil'. Did you mean 'prefill'?", refused.Message, StringComparison.Ordinal);
            Assert.Equal([(1, 0), (1, 1)], found.Select(lists => (lists.Prefill.Count, lists.Decode.Count)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void SharedRoute_EncodedAndDecoded_IsTheSame()
    {
        var message = SharedRoute.Encode(NodeRole.Decode, "10.0.0.1:8000", [1, 2, ulong.MaxValue]);
        Assert.Equal("01010D0003000000", Convert.ToHexString(message.AsSpan(0, 8)));
        var route = SharedRoute.TryDecode(message)!;
        Assert.Equal((NodeRole.Decode, "10.0.0.1:8000"), (route.Role, route.Node));
        Assert.Equal([1, 2, ulong.MaxValue], route.Keys);
    }

    [Fact]
    public void SharedRoute_CutOrChanged_IsNoneOrHarmless()
    {
        var message = SharedRoute.Encode(NodeRole.Decode, "10.0.0.1:8000", [1, 2, 3]);
        for (var length = 0; length < message.Length; length++) { Assert.Null(SharedRoute.TryDecode(message.AsMemory(0, length))); }
        var random = new Random(3);
        for (var round = 0; round < 10_000; round++)
        {
            var bad = message.ToArray();
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            Assert.True(SharedRoute.TryDecode(bad) is null or { Keys.Length: 3 });
        }
    }
}
