using System.Diagnostics;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Two hosts on one machine: network namespaces joined by a pair of virtual Ethernet devices. Nothing leaves them.</summary>
internal sealed class HostNamespaces : IAsyncDisposable
{
    public const string AddressA = "198.18.0.1";
    public const string AddressB = "198.18.0.2";
    public const string SlowAddressA = "198.18.1.1";
    public const string SlowAddressB = "198.18.1.2";
    public const string NotAllowed = "network namespaces cannot be made here (root and iproute2 are needed)";

    private static int _made;

    private readonly List<Process> _processes = [];

    private HostNamespaces(string name) => (A, B) = ($"fer{name}a", $"fer{name}b");

    public string A { get; }

    public string B { get; }

    /// <summary>Null where that is not allowed.</summary>
    public static async Task<HostNamespaces?> TryMakeAsync()
    {
        var hosts = new HostNamespaces($"{Environment.ProcessId % 10_000}x{Interlocked.Increment(ref _made)}");
        foreach (var command in new[]
        {
            $"netns add {hosts.A}", $"netns add {hosts.B}", $"-n {hosts.A} link set lo up", $"-n {hosts.B} link set lo up",
            $"link add vA netns {hosts.A} type veth peer name vB netns {hosts.B}",
            $"-n {hosts.A} addr add {AddressA}/24 dev vA", $"-n {hosts.B} addr add {AddressB}/24 dev vB", $"-n {hosts.A} link set vA up", $"-n {hosts.B} link set vB up",
        })
        {
            if (await RunAsync("ip", command.Split(' ')) != 0)
            {
                await hosts.DisposeAsync();
                return null;
            }
        }
        return hosts;
    }

    /// <summary>Runs a command that must succeed, such as <c>ip</c>, <c>tc</c> or <c>iptables</c>, inside a host.</summary>
    public static async Task ExecuteAsync(string host, string command) =>
        Assert.Equal(0, await RunAsync("ip", ["netns", "exec", host, .. command.Split(' ')]));

    /// <summary>Starts <c>ferry</c> inside a host.</summary>
    public Process StartFerry(string host, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("ip") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in (string[])["netns", "exec", host, "dotnet", "exec", typeof(Cli.Up.NodeProcess).Assembly.Location, .. arguments])
        {
            start.ArgumentList.Add(word);
        }
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        _processes.Add(process);
        return process;
    }

    /// <summary>A second link between the hosts, with delay, loss and a rate; built from tests/lab/delaylink.c. Null if it cannot be built.</summary>
    /// <param name="megabits">Per second; 0 for no limit.</param>
    public async Task<Process?> TryStartDelayAsync(double delayMilliseconds, double lossPercent, int megabits)
    {
        var program = Path.Combine(Path.GetTempPath(), $"delaylink-{Environment.ProcessId}");
        var source = Path.Combine(TestKit.RepositoryRoot.Path, "tests", "lab", "delaylink.c");
        if (!File.Exists(program) && await RunAsync("cc", ["-O2", "-pthread", "-o", program, source]) != 0)
        {
            return null;
        }
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (var word in new[] { A, B, $"{delayMilliseconds}", $"{lossPercent}", $"{megabits}" })
        {
            start.ArgumentList.Add(word);
        }
        var process = Process.Start(start)!;
        _processes.Add(process);
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
        foreach (var (host, address) in new[] { (A, SlowAddressA), (B, SlowAddressB) })
        {
            await ExecuteAsync(host, $"ip addr add {address}/24 dev kv0");
            await ExecuteAsync(host, "ip link set kv0 up");
        }
        return process;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
            process.Dispose();
        }
        await RunAsync("ip", ["netns", "del", A]);
        await RunAsync("ip", ["netns", "del", B]);
    }

    private static async Task<int> RunAsync(string program, IEnumerable<string> arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }
            using var process = Process.Start(start)!;
            await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return 127;
        }
    }
}
