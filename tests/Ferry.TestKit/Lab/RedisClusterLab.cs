using System.Diagnostics;
using System.Globalization;

namespace Ferry.TestKit.Lab;

/// <summary>A real Redis Cluster of three primaries, for as long as this object lives.</summary>
public sealed class RedisClusterLab : IAsyncDisposable
{
    private const int NodeCount = 3;
    private readonly List<RedisLab> _nodes = [];

    public IReadOnlyList<RedisLab> Nodes => _nodes;

    /// <param name="tlsDirectory">As for <see cref="RedisLab.StartTlsAsync"/>; null for plain TCP.</param>
    public static async Task<RedisClusterLab> StartAsync(string? tlsDirectory = null)
    {
        var lab = new RedisClusterLab();
        try
        {
            var firstPort = LabScript.FindPorts(2 * NodeCount);
            for (var node = 0; node < NodeCount; node++)
            {
                string[] arguments = ["--cluster-enabled", "yes", "--cluster-port", Number(firstPort + NodeCount + node), .. tlsDirectory is null ? [] : (string[])["--tls-cluster", "yes"]];
                lab._nodes.Add(await RedisLab.StartAsync(firstPort + node, tlsDirectory, arguments));
            }
            await RunCliAsync(tlsDirectory, ["--cluster", "create", .. lab._nodes.Select(node => $"127.0.0.1:{Number(node.Port)}"), "--cluster-yes"]);
            foreach (var node in lab._nodes)
            {
                // Each hears of the others by gossip, so the last knows all a moment after the first.
                await Eventually.TrueAsync(async () => (await RunCliAsync(tlsDirectory, ["-h", "127.0.0.1", "-p", Number(node.Port), "cluster", "info"]))
                    .Contains("cluster_state:ok", StringComparison.Ordinal), "the cluster has not all its slots");
            }
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    private static async Task<string> RunCliAsync(string? tlsDirectory, string[] arguments)
    {
        string[] tls = tlsDirectory is null ? [] : ["--tls", "--cacert", RedisLab.AuthorityFile(tlsDirectory)];
        using var process = Process.Start(new ProcessStartInfo("redis-cli", [.. tls, .. arguments]) { RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? said : throw new InvalidOperationException($"redis-cli {string.Join(' ', arguments)} failed: {said}");
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
