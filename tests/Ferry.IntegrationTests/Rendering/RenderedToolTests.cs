using System.Diagnostics;
using Ferry.IntegrationTests.Processes;
using Ferry.TestKit;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Rendering;

/// <summary>The real tools' opinion on what the command writes: bash, shellcheck, docker-compose, kubectl.</summary>
public sealed class RenderedToolTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly string _root = Directory.CreateTempSubdirectory("ferry-rendered-").FullName;

    public static TheoryData<string, string?> Profiles() => new()
    {
        { "exchange", null }, { "exchange-s3", null }, { "nixl", null }, { "lmcache-pd", null }, { "exchange", "ferry" }, { "exchange-s3", "ferry" },
    };

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [MemberData(nameof(Profiles))]
    public async Task Scripts_OfTheProfile_AreGoodInTheEyesOfBashAndShellcheck(string profile, string? engine)
    {
        var directory = await RenderAsync("docker", profile, engine);
        string[] scripts = [.. Directory.EnumerateFiles(directory, "*.sh", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(scripts);
        foreach (var script in scripts)
        {
            await SucceedAsync("bash", ["-n", script], directory);
            await SucceedAsync("test", ["-x", script], directory);
        }
        await SucceedAsync("shellcheck", ["--severity=style", .. scripts], directory);
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public async Task ComposeFiles_OfTheProfile_AreReadByDockerComposeAndKeepTheirWords(string profile, string? engine)
    {
        var directory = await RenderAsync("compose", profile, engine);
        string[] files = [.. Directory.EnumerateFiles(directory, "compose.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var merged = (await SucceedAsync("docker-compose", ["--file", file, "config"], Path.GetDirectoryName(file)!)).Output;
            Assert.DoesNotContain("$$", merged, StringComparison.Ordinal);
            Assert.Contains("network_mode: host", merged, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public async Task Manifests_OfTheProfile_AreBuiltByKustomizeIntoOneNamespace(string profile, string? engine)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "kubectl"))), "kubectl is not on PATH, and Debian's is too old.");
        var directory = await RenderAsync("kubernetes", profile, engine);
        if (profile == "lmcache-pd") { await File.WriteAllTextAsync(Path.Combine(directory, "disagg_proxy_server.py"), "print()\n"); }   // As its README asks.
        var built = (await SucceedAsync("kubectl", ["kustomize", directory], directory)).Output;
        var spec = profile == "exchange-s3" ? "serving" : null;
        var documents = built.Split("\n---\n");
        Assert.True(documents.Length > 10);
        foreach (var document in documents.Where(document => !document.Contains("kind: Namespace", StringComparison.Ordinal)))
        {
            Assert.Matches(@"(?m)^  namespace: " + (spec ?? "[a-z0-9-]+") + "$", document);
        }
        foreach (var kind in (string[])["StatefulSet", "Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor", "ServiceAccount"])
        {
            Assert.Contains($"\nkind: {kind}\n", built, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Render_IntoADirectoryThatIsNotEmpty_IsRefusedUntilForced()
    {
        var directory = await RenderAsync("docker", "exchange", null);
        var refused = await FerryRun.RunAsync("render", "docker", "-f", Description("exchange"), "-o", directory);
        Assert.Equal((1, true), (refused.ExitCode, refused.Error.Contains("--force", StringComparison.Ordinal)));
        var forced = await FerryRun.RunAsync("render", "compose", "-f", Description("exchange"), "-o", directory, "--force");
        Assert.Equal(0, forced.ExitCode);
        Assert.Empty(Directory.EnumerateFiles(directory, "*.sh", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("TARGET is 'dokcer'", "render", "dokcer", "-f", "ferry.yaml", "-o", "out")]
    [InlineData("Did you mean ferry?", "render", "docker", "-f", "ferry.yaml", "-o", "out", "--engine", "fery")]
    [InlineData("nowhere.yaml", "render", "docker", "-f", "nowhere.yaml", "-o", "out")]
    public async Task Render_WrongWords_AreAnsweredWithTheWayOutAndExitCodeTwo(string expected, params string[] words)
    {
        var run = await FerryRun.RunAsync(words);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists("out"));
    }

    [Fact]
    public async Task Render_Dry_NamesTheFilesAndWritesNone()
    {
        var directory = Path.Combine(_root, "dry");
        var run = await FerryRun.RunAsync("render", "docker", "-f", Description("exchange"), "-o", directory, "--dry-run");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("prefill-0/up.sh", run.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task Script_WithAPlaceholderLeft_NamesItAndStartsNothing()
    {
        var description = Path.Combine(_root, "ferry.yaml");
        await File.WriteAllTextAsync(description, (await File.ReadAllTextAsync(Description("exchange"))).Replace("10.0.1.21", "<decode-ip>", StringComparison.Ordinal));
        var rendered = await FerryRun.RunAsync("render", "docker", "-f", description, "-o", Path.Combine(_root, "placed"));
        Assert.Contains("Fill in: <decode-ip>", rendered.Output, StringComparison.Ordinal);
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(_root, "placed", "prefill-0", "up.sh")) { RedirectStandardError = true })!;
        Assert.Contains("replace <decode-ip> in every file", await process.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await process.WaitForExitAsync();
        Assert.Equal(2, process.ExitCode);
    }

    private static string Description(string profile) => RepositoryRoot.At("tests", "data", "render", profile, "ferry.yaml");

    private async Task<string> RenderAsync(string target, string profile, string? engine)
    {
        var directory = Path.Combine(_root, $"{target}-{profile}-{engine}");
        var run = await FerryRun.RunAsync(["render", target, "-f", Description(profile), "-o", directory, .. engine is null ? [] : (string[])["--engine", engine]]);
        Assert.True(run.ExitCode == 0, run.Error);
        return directory;
    }

    /// <summary>Runs a tool with every variable set that the artefacts ask for.</summary>
    private static async Task<LabRun> SucceedAsync(string program, string[] arguments, string directory)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory };
        foreach (var variable in (string[])["FERRY_RESP_PASSWORD", "FERRY_SHARED_SECRET", "HF_TOKEN", "KV_ACCESS_KEY", "KV_SECRET_KEY", "FERRY_MODEL_DIR"])
        {
            start.Environment[variable] = "/of-the-test";
        }
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Deadline);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(deadline.Token), process.StandardError.ReadToEndAsync(deadline.Token));
        await process.WaitForExitAsync(deadline.Token);
        var run = new LabRun(process.ExitCode, await output, await error);
        Assert.True(run.ExitCode == 0, $"{program} {string.Join(' ', arguments)}:{Environment.NewLine}{run.Output}{run.Error}");
        return run;
    }
}
