using Ferry.Cli.Commands;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class RouteCommandTests
{
    [Fact]
    public async Task Check_GoodFlags_SaysSo()
    {
        var run = await CommandLineRun.OfAsync(
            [RouteCommand.Create()], "route", "--prefill", "http://a:8000", "--decode", "http://b:8000", "--policy", "prefix-aware", "--require-transfer", "--check");
        Assert.Equal((0, "good: 1 prefill and 1 decode nodes, prefix-aware"), (run.ExitCode, run.Output.Trim()));
    }

    [Fact]
    public async Task Check_SeveralMistakes_ReportsAllWithExitCode2()
    {
        var run = await CommandLineRun.OfAsync([RouteCommand.Create()], "route", "--prefill", "nowhere", "--policy", "fastest", "--queue-timeout", "soon", "--check");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--prefill 'nowhere' is no URL", run.Error, StringComparison.Ordinal);
        Assert.Contains("--policy is 'fastest'; it must be one of round-robin", run.Error, StringComparison.Ordinal);
        Assert.Contains("--queue-timeout is 'soon'; it must be a time", run.Error, StringComparison.Ordinal);
        Assert.Contains("--decode is missing", run.Error, StringComparison.Ordinal);
    }
}
