using Ferry.Cli.Commands.Cluster;
using Xunit;

namespace Ferry.UnitTests.Cli.Cluster;

public sealed class LintCommandTests : IDisposable
{
    private const string Wrong = "docker run -d --name cache \\\n  # a note\n  -e TOKEN=hunter2hunter2 \\\n  redis:7.2 redis-server --requirepass hunter2hunter2\n";

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-lint-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Lint_OfAMistake_QuotesTheLineWithCaretsAndEndsWithTwo()
    {
        var run = await RunAsync(Write("a.sh", Wrong));
        var lines = run.Output.Split('\n');
        var at = Array.FindIndex(lines, line => line.Contains("│   # a note", StringComparison.Ordinal));
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(lines[at].IndexOf('#', StringComparison.Ordinal), lines[at + 1].IndexOf('^', StringComparison.Ordinal));
        Assert.Equal("# a note".Length, lines[at + 1].Count(c => c == '^'));
        Assert.Contains("FERRY-SH001", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("docker run -d --name cache redis:7.2\n", "[]")]
    [InlineData("LMCACHE_CHUNK_SIZE=256\nLMCACHE_CHUNK_SZE=256\n", "FERRY-LMC002")]
    public async Task Format_Json_IsJsonAndTheExitCodeIsInIt(string text, string expected)
    {
        var run = await RunAsync(Write("a.txt", text), "--format", "json");
        using var json = System.Text.Json.JsonDocument.Parse(run.Output);
        Assert.Equal(run.ExitCode, json.RootElement.GetProperty("summary").GetProperty("exitCode").GetInt32());
        Assert.Contains(expected, json.RootElement.GetProperty("findings").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fix_WithDryRun_ShowsADiffAndChangesNothing()
    {
        var path = Write("a.sh", Wrong);
        var run = await RunAsync(path, "--fix", "--dry-run");
        Assert.Equal(Wrong, await File.ReadAllTextAsync(path));
        Assert.Contains("+# a note", run.Output, StringComparison.Ordinal);
        Assert.Contains("-  # a note", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fix_OfAScript_RewritesItAndKeepsItsMode()
    {
        var path = Write("a.sh", Wrong);
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        if (!OperatingSystem.IsWindows()) { File.SetUnixFileMode(path, Mode); }
        await RunAsync(path, "--fix");
        Assert.StartsWith("# a note\ndocker run", await File.ReadAllTextAsync(path), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) { Assert.Equal(Mode, File.GetUnixFileMode(path)); }
        Assert.Single(Directory.EnumerateFiles(_directory));
    }

    [Fact]
    public async Task Directory_WithOtherFiles_PassesThemOver()
    {
        Write("a.sh", "docker run -d --name cache redis:7.2\n");
        Write("values.yaml", "server:\n  port: 80\n");
        var run = await RunAsync(_directory);
        Assert.Contains("in 1 file; 1 file of other kinds passed over", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { "--explain", "FERRY-SHO01" }, "there is no rule FERRY-SHO01. Did you mean FERRY-SH001?")]
    [InlineData(new[] { "no-such-file.sh" }, "no-such-file.sh cannot be read")]
    [InlineData(new string[] { }, "name the files to check")]
    [InlineData(new[] { "x", "--dry-run" }, "--dry-run goes with --fix")]
    [InlineData(new[] { "x", "--format", "xml" }, "must be one of human, json, sarif, github")]
    public async Task Usage_ThatCannotBe_IsExplained(string[] arguments, string message)
    {
        var run = await RunAsync(arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private static Task<CommandLineRun> RunAsync(params string[] arguments) => CommandLineRun.OfAsync([LintCommand.Create()], ["lint", .. arguments]);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
