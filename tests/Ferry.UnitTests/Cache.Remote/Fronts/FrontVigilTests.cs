using System.Net;
using System.Net.Sockets;
using Ferry.Cache.Remote.Fronts;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Fronts;

public sealed class FrontVigilTests : IDisposable
{
    private readonly Socket _client;
    private readonly Socket _server;

    public FrontVigilTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _client.Connect(listener.LocalEndPoint!);
        _server = listener.Accept();
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    public void Watch_NothingComes_EndsAsleep(int processors)
    {
        var threads = new AwakeThreads(processors);
        using var vigil = new FrontVigil(threads);
        for (var wait = 0; wait < 200; wait++)
        {
            vigil.Watch(_server);
            Assert.Equal(0, threads.Count);
            vigil.Begin(100);
            Assert.Equal(1, threads.Count);
            vigil.Sent(100);
        }
    }

    [Fact]
    public void Watch_BytesAreHere_StaysAwake()
    {
        var threads = new AwakeThreads(processors: 1);
        using var vigil = new FrontVigil(threads);
        vigil.Begin(1);
        _client.Send([1]);
        Assert.True(_server.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead));

        vigil.Watch(_server);

        Assert.Equal(1, threads.Count);
        Assert.Equal(1, _server.Receive(new byte[2]));
    }

    [Fact]
    public void Watch_ClientHasGone_StaysAwakeToHearIt()
    {
        var threads = new AwakeThreads(processors: 1);
        using var vigil = new FrontVigil(threads);
        vigil.Begin(1);
        _client.Shutdown(SocketShutdown.Both);
        Assert.True(_server.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead));

        vigil.Watch(_server);

        Assert.Equal(1, threads.Count);
        Assert.Equal(0, _server.Receive(new byte[2]));
    }

    [Fact]
    public void Watch_AfterLongValues_SleepsAtOnceHoweverManyProcessors()
    {
        var threads = new AwakeThreads(processors: 1024);
        using var vigil = new FrontVigil(threads);
        vigil.Begin(100);
        vigil.Sent(1 << 20);

        vigil.Watch(_server);

        Assert.Equal(0, threads.Count);
    }

    [Fact]
    public void Dispose_AtWork_CountsItNoMore()
    {
        var threads = new AwakeThreads(processors: 2);
        var vigil = new FrontVigil(threads);
        vigil.Begin(1);
        vigil.Dispose();
        vigil.Dispose();

        Assert.Equal(0, threads.Count);
    }

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(2, 1, true)]
    [InlineData(2, 2, false)]
    [InlineData(16, 8, true)]
    [InlineData(16, 9, false)]
    public void MayWatch_LeavesHalfOfTheProcessorsToOthers(int processors, int awake, bool expected)
    {
        var threads = new AwakeThreads(processors);
        for (var thread = 0; thread < awake; thread++)
        {
            threads.Woke();
        }
        Assert.Equal(expected, threads.MayWatch);
    }
}
