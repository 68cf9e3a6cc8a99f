using System.Diagnostics;
using Ferry.IntegrationTests.Processes;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Lint;

/// <summary>A real bash runs the guide's commands as written and as mended: what the rule says of comments is what happens.</summary>
public sealed class GuideScriptTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly string _root = Directory.CreateTempSubdirectory("ferry-guide-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Guide_AsWritten_LosesItsSettingsAndMended_StartsOneContainerABlock()
    {
        var guide = Path.Combine(_root, "guide.md");
        File.Copy(RepositoryRoot.At("tests", "data", "guides", "mi300x-gaudi3-lmcache.md"), guide);
        foreach (var block in Blocks(guide))
        {
            var words = await DockerWordsAsync(block);
            Assert.DoesNotContain(words, word => word.StartsWith("UCX_TLS=", StringComparison.Ordinal));
            Assert.DoesNotContain("serve", words);
        }

        var run = await FerryRun.RunAsync("lint", "--fix", guide);
        Assert.Equal(2, run.ExitCode);   // what a person must decide is left
        foreach (var block in Blocks(guide))
        {
            var words = await DockerWordsAsync(block);
            Assert.Contains(words, word => word.StartsWith("UCX_TLS=", StringComparison.Ordinal));
            Assert.Contains("serve", words);
            Assert.Contains("--kv-transfer-config", words);
            Assert.DoesNotContain("--trust-remote-code", words);
        }
    }

    /// <summary>The blocks that start a container; a person has filled the placeholders in.</summary>
    private static string[] Blocks(string guide)
    {
        var text = File.ReadAllText(guide).Replace("<prefill-node-ip>", "10.0.0.1", StringComparison.Ordinal)
            .Replace("<access-key>", "id", StringComparison.Ordinal).Replace("<secret-key>", "key", StringComparison.Ordinal);
        string[] blocks = [.. text.Split("```bash\n").Skip(1).Select(block => block.Split("\n```")[0]).Where(block => block.Contains("docker run", StringComparison.Ordinal))];
        Assert.Equal(4, blocks.Length);
        return blocks;
    }

    /// <summary>The words that bash hands to docker, which is a function that prints them; nothing else can be found.</summary>
    private static async Task<string[]> DockerWordsAsync(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", "PATH=/nonexistent\ndocker() { printf '%s\\n' \"$@\"; }\n" + script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var bash = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Deadline);
        var (output, error) = (bash.StandardOutput.ReadToEndAsync(deadline.Token), bash.StandardError.ReadToEndAsync(deadline.Token));
        await bash.WaitForExitAsync(deadline.Token);
        await error;
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
