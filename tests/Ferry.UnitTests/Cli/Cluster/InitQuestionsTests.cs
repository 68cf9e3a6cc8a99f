using Ferry.Cli.Commands.Cluster;
using Ferry.Cluster.Spec;
using Spectre.Console.Testing;
using Xunit;

namespace Ferry.UnitTests.Cli.Cluster;

public sealed class InitQuestionsTests
{
    private static TestConsole Console()
    {
        var console = new TestConsole();
        console.Profile.Capabilities.Interactive = true;
        return console;
    }

    [Fact]
    public void Storage_SecondLine_IsTheBucket()
    {
        var console = Console();
        console.Input.PushKey(ConsoleKey.DownArrow);
        console.Input.PushKey(ConsoleKey.Enter);

        Assert.Equal(StorageKind.S3, new InitQuestions(console).Storage());
        Assert.Contains("What do all nodes share?", console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Accelerator_EnterAlone_IsTheUsualOne()
    {
        var console = Console();
        console.Input.PushKey(ConsoleKey.Enter);

        Assert.Equal("gaudi3", new InitQuestions(console).Accelerator("decode", "gaudi3"));
    }

    [Fact]
    public void Addresses_SeveralHosts_AreTakenApart()
    {
        var console = Console();
        console.Input.PushTextWithEnter("10.0.0.1, 10.0.0.2 host-3");

        Assert.Equal(["10.0.0.1", "10.0.0.2", "host-3"], new InitQuestions(console).Addresses("decode"));
    }

    [Fact]
    public void Addresses_EnterAlone_IsAPlaceholder()
    {
        var console = Console();
        console.Input.PushKey(ConsoleKey.Enter);

        Assert.Equal(["<prefill-ip>"], new InitQuestions(console).Addresses("prefill"));
    }
}
