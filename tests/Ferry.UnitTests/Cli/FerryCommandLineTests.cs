using System.CommandLine;
using Ferry.Cli.Help;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class FerryCommandLineTests
{
    [Fact]
    public async Task Run_NoArguments_PrintsHelpAndExits2()
    {
        var run = await CommandLineRun.OfAsync();

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("keys", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_MistypedCommand_NamesTheNearestAndExits2()
    {
        var run = await CommandLineRun.OfAsync("kyes", "--tokens", "1");

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("ferry: unknown command 'kyes'. Did you mean 'keys'?", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Theory]
    [InlineData("--toknes", "--tokens")]
    [InlineData("--chunksize", "--chunk-size")]
    [InlineData("--hash_seed", "--hash-seed")]
    [InlineData("--algoritm", "--algorithm")]
    public async Task Run_MistypedOption_NamesTheNearestOnceAndExits2(string typed, string nearest)
    {
        var run = await CommandLineRun.OfAsync("keys", typed, "1");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal([$"ferry keys: unknown option '{typed}'. Did you mean '{nearest}'?", "Run 'ferry keys --help' for its options and examples."],
            run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Run_MistypedOptionOfACommandWithAnArgument_IsNotTakenForTheArgument()
    {
        var serve = new FerryCommand("serve", "Takes a model.") { new Argument<string?>("model") { Arity = ArgumentArity.ZeroOrOne }, new Option<int>("--port") };
        serve.SetAction(_ => 0);

        var mistyped = await CommandLineRun.OfAsync([serve], "serve", "--portt", "1");
        var alone = await CommandLineRun.OfAsync([serve], "serve", "--portt");
        var meant = await CommandLineRun.OfAsync([serve], "serve", "--", "--portt");

        Assert.Equal((2, 2, 0), (mistyped.ExitCode, alone.ExitCode, meant.ExitCode));
        Assert.StartsWith("ferry serve: unknown option '--portt'. Did you mean '--port'?\nRun", mistyped.Error, StringComparison.Ordinal);
        Assert.Equal(mistyped.Error, alone.Error);
    }

    [Fact]
    public async Task Run_StrayArgument_NamesItAndWhereItStands()
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", "1", "2");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("unexpected argument '2' after '1'", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NotANumber_NamesOptionAndValueWithoutATypeName()
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", "1", "--chunk-size", "many");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--chunk-size is 'many', which is not a whole number", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Help_EndsWithTheExamplesOfTheCommand()
    {
        var run = await CommandLineRun.OfAsync("keys", "--help");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("--explain <key>", run.Output, StringComparison.Ordinal);
        Assert.Contains("Examples:\n  # All names", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CommandFailsUnexpectedly_ReportsADefectAndExits1()
    {
        var broken = new FerryCommand("broken", "Throws.");
        broken.SetAction(int (ParseResult _) => throw new InvalidDataException("the reason"));

        var run = await CommandLineRun.OfAsync([broken], "broken");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("ferry broken: unexpected failure", run.Error, StringComparison.Ordinal);
        Assert.Contains("the reason", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CommandIsInterrupted_Exits130WithoutAStack()
    {
        var waiting = new FerryCommand("waiting", "Is interrupted.");
        waiting.SetAction(int (ParseResult _) => throw new OperationCanceledException());

        var run = await CommandLineRun.OfAsync([waiting], "waiting");

        Assert.Equal((130, "", ""), (run.ExitCode, run.Output, run.Error));
    }
}
