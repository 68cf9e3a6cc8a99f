using Ferry.Cli.Up;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class LoopbackPortsTests
{
    [Fact]
    public void Take_OfAny_IsApartFromThoseOfConnections()
    {
        using var ports = new LoopbackPorts();
        var taken = Enumerable.Range(0, 50).Select(_ => ports.Take(0)).ToArray();
        Assert.Equal(taken.Length, taken.Distinct().Count());
        Assert.All(taken, port => Assert.InRange(port, 1024, LoopbackPorts.FirstOfConnections() - 1));
    }

    [Fact]
    public void Take_OfOneThatIsTaken_GivesAnother()
    {
        using LoopbackPorts others = new(), ports = new();
        var port = others.Take(0);
        Assert.NotEqual(port, ports.Take(port));
        others.Release();
        Assert.Equal(port, ports.Take(port));
    }
}
