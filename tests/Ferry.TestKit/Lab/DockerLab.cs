using System.Diagnostics;

namespace Ferry.TestKit.Lab;

/// <summary>A real Docker engine of its own for as long as this object lives, with an image of this very build of Ferry. Containers have the host's network.</summary>
public sealed class DockerLab : IAsyncDisposable
{
    /// <summary>The image: ferry, the runtime, and a shell to look around with.</summary>
    public const string Image = "ferry:0.1.0";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>Debian's client first: whatever else is called docker on this machine may be another program.</summary>
    private static readonly string SearchPath = $"/usr/bin:{Environment.GetEnvironmentVariable("PATH")}";

    private readonly string _home;
    private readonly Dictionary<string, string> _environment;

    private DockerLab(string home)
    {
        _home = home;
        _environment = new Dictionary<string, string> { ["DOCKER_LAB_HOME"] = home, ["DOCKER_LAB_OWNER_PID"] = LabScript.OwnerPid };
    }

    /// <summary>Where the engine answers: <c>unix:///…/docker.sock</c>.</summary>
    public string Host => $"unix://{_home}/docker.sock";

    public Uri HostUri => new(Host);

    /// <param name="application">Directory with a build of ferry, which the image gets.</param>
    public static async Task<DockerLab> StartAsync(string application)
    {
        var lab = new DockerLab(Directory.CreateTempSubdirectory("ferry-docker-").FullName);
        try
        {
            await LabScript.RunAsync("docker-up.sh", lab._environment);
            var build = await lab.RunAsync("bash", [RepositoryRoot.At("tools", "image", "build.sh"), "--tag", Image, "--app", application, "--shell"]);
            if (build.ExitCode != 0)
            {
                throw new InvalidOperationException($"The image was not built: {build.Output}{build.Error}");
            }
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs <c>docker</c> against this engine.</summary>
    public Task<LabRun> DockerAsync(params string[] arguments) => RunAsync("docker", arguments);

    /// <summary>Runs a program whose docker is this engine's.</summary>
    public async Task<LabRun> RunAsync(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["PATH"] = SearchPath;
        start.Environment["DOCKER_HOST"] = Host;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return new LabRun(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'{program} {string.Join(' ', arguments)}' was not done after {Deadline}.");
        }
    }

    public async ValueTask DisposeAsync() => await LabScript.RunAsync("docker-down.sh", _environment, "--wipe");
}
