using System.Net.Sockets;
using Ferry.Cache.Remote.Fronts;
using Ferry.Transfer.Probe;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Fronts;

public sealed class FrontVigilTests : IDisposable
{
    private readonly LoopbackPair _ends = LoopbackPair.Connect();

    private Socket Client => _ends.Sender;

    private Socket Server => _ends.Receiver;

    public void Dispose() => _ends.Dispose();

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
            vigil.Watch(Server);
            Assert.Equal(0, threads.Count);
            vigil.Begin();
            Assert.Equal(1, threads.Count);
            vigil.Moved(100);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)] // It hears that the client has gone.
    public void Watch_SomethingIsHere_StaysAwake(int byteCount)
    {
        var threads = new AwakeThreads(processors: 1);
        using var vigil = new FrontVigil(threads);
        vigil.Begin();
        if (byteCount > 0)
        {
            Client.Send(new byte[byteCount]);
        }
        else
        {
            Client.Shutdown(SocketShutdown.Both);
        }
        Assert.True(Server.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead));

        vigil.Watch(Server);

        Assert.Equal(1, threads.Count);
        Assert.Equal(byteCount, Server.Receive(new byte[2]));
    }

    [Fact]
    public void Watch_AfterLongValues_SleepsAtOnceHoweverManyProcessors()
    {
        var threads = new AwakeThreads(processors: 1024);
        using var vigil = new FrontVigil(threads);
        vigil.Begin();
        vigil.Moved(1 << 20);

        vigil.Watch(Server);

        Assert.Equal(0, threads.Count);
    }

    [Fact]
    public void Dispose_AtWork_CountsItNoMore()
    {
        var threads = new AwakeThreads(processors: 2);
        var vigil = new FrontVigil(threads);
        vigil.Begin();
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
