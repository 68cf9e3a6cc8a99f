using System.Text.Json;
using System.Text.RegularExpressions;
using Ferry.Cli.Commands.Cluster;
using Ferry.UnitTests.Cluster;
using Xunit;

namespace Ferry.UnitTests.Cli.Cluster;

public sealed class PlanCommandTests : IDisposable
{
    private const string Requests = """
        {"timestamp": 0, "input_length": 6000, "output_length": 100, "hash_ids": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}
        {"timestamp": 9000, "input_length": 6100, "output_length": 100, "hash_ids": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]}
        {"timestamp": 9500, "input_length": 60000, "output_length": 100, "hash_ids": [0, 99]}
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-plan-").FullName;

    private string Spec => Write("ferry.yaml", ClusterFiles.Pair);

    private string Trace => Write("trace.jsonl", Requests);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static Task<CommandLineRun> RunAsync(params string[] arguments) => CommandLineRun.OfAsync([PlanCommand.Create()], ["plan", .. arguments]);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public async Task Plan_File_PrintsTheTables()
    {
        var run = await RunAsync("-f", Spec);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        foreach (var expected in (string[])["320 KiB of KV a token", "Memory", "Tiers: load or compute?", "Hand-over of a prompt by ferry", "does not pay in throughput", "give plan.prices"])
        {
            Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Plan_Json_HoldsFiguresAndSimulation()
    {
        var run = await RunAsync("-f", Spec, "--trace", Trace, "--json");

        var report = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(327_680, report.GetProperty("plan").GetProperty("kvBytesPerToken").GetInt64());
        var simulation = report.GetProperty("simulation");
        Assert.Equal((2, 1), (simulation.GetProperty("served").GetInt32(), simulation.GetProperty("refused").GetInt32()));
        Assert.Equal(11 * 512, simulation.GetProperty("tiers")[0].GetProperty("tokens").GetInt64());
        Assert.True(report.GetProperty("hitCurve").GetArrayLength() > 1);
        Assert.Contains("longer than model.maxLength", report.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_Trace_PrintsLatenciesAndTheCurve()
    {
        var run = await RunAsync("-f", Spec, "--trace", Trace);

        foreach (var expected in (string[])["2 of 3 requests served", "first token", "Where prompt tokens came from", "How busy a node was", "blocks found"])
        {
            Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("svg", "<svg")]
    [InlineData("png", "PNG")]
    public async Task Plan_Chart_DrawsAFile(string kind, string expected)
    {
        var path = Path.Combine(_directory, $"plan.{kind}");

        var run = await RunAsync("-f", Spec, "--trace", Trace, "--chart", path);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(expected, System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_Chart_IsWrittenInLettersOfItsOwn()
    {
        var path = Path.Combine(_directory, "plan.svg");

        await RunAsync("-f", Spec, "--chart", path);

        // Skia writes letters only where it has a typeface; on a machine without fonts that is the one that comes along.
        var drawing = await File.ReadAllTextAsync(path);
        Assert.Contains("font-family=\"DejaVu Sans\"", drawing, StringComparison.Ordinal);
        Assert.True(Regex.Count(drawing, "font-size=\"16\" font-weight=\"[67]00\" font-family=\"DejaVu Sans\"[^>]*>[^<]{10,}") >= 4, "Not every chart has its title.");
    }

    [Theory]
    [InlineData("--chart plan.pdf", "must end with .svg or .png")]
    [InlineData("--speed 2", "give it a --trace")]
    [InlineData("--seed 2", "give it a --trace")]
    public async Task Plan_FlagsThatDoNotFit_AreWrongUsage(string flags, string expected)
    {
        var run = await RunAsync(["-f", Spec, .. flags.Split(' ')]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_FileWithErrors_PrintsThemAll()
    {
        var run = await RunAsync("-f", Write("bad.yaml", "name: X\nmodel: {}\n"));

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("bad.yaml:1:7: name is 'X'", run.Error, StringComparison.Ordinal);
        Assert.Contains("3 errors", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing here", "no request")]
    [InlineData("", "has no request")]
    public async Task Plan_TraceThatIsNone_FailsWithItsLine(string text, string expected)
    {
        var run = await RunAsync("-f", Spec, "--trace", Write("bad.jsonl", text));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_SpeedBelowZero_IsRefused() => Assert.Equal(1, (await RunAsync("-f", Spec, "--trace", Trace, "--speed", "-1")).ExitCode);
}
