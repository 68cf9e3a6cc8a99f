using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Two processes on two hosts, and a network between them that is slow, lossy, cut or healed.</summary>
public sealed class NetworkFaultTests
{
    private const int Port = 5600;

    private static readonly Dictionary<string, string> Secret = new() { ["FERRY_SHARED_SECRET"] = "a secret of more than sixteen bytes" };

    [Fact]
    public async Task Check_BetweenTwoHosts_IsReadyAndNamesTheMedium()
    {
        await using var hosts = await ReadyAsync(HostNamespaces.AddressA);
        var (status, report) = await CheckAsync(hosts, HostNamespaces.AddressA);

        Assert.True(status == 0, report.ToJsonString());
        // One machine after all: both hosts are one kernel and one PID namespace, so shared memory reaches across.
        Assert.Contains("shm", Found(report, "medium"), StringComparison.Ordinal);
        Assert.Contains("the same", Found(report, "bytes"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_WrongSecretOrNobodyThere_HasItsExitCodeAndSaysWhatToDo()
    {
        await using var hosts = await ReadyAsync(HostNamespaces.AddressA);

        var (wrong, refused) = await CheckAsync(hosts, HostNamespaces.AddressA, new() { ["FERRY_SHARED_SECRET"] = "another secret of many bytes" });
        Assert.Equal(1, wrong);
        Assert.Contains("FERRY_SHARED_SECRET", refused.ToJsonString(), StringComparison.Ordinal);
        var (nobody, unreached) = await CheckAsync(hosts, "198.18.0.77");
        Assert.Equal(3, nobody);
        Assert.Contains("not reached", unreached.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bench_OverALinkWithARate_ComesNearIt()
    {
        await using var hosts = await ReadyAsync(HostNamespaces.AddressA);
        await HostNamespaces.ExecuteAsync(hosts.A, "tc qdisc add dev vA root tbf rate 800mbit burst 1mb latency 50ms");

        var rows = await BenchAsync(hosts, HostNamespaces.AddressA, "--sizes", "4MiB", "--time", "3", "--rounds", "1");

        Assert.InRange(rows[0]!["gigabytesPerSecond"]!.GetValue<double>(), 0.06, 0.105); // 0.1 GB/s less headers
    }

    [Fact]
    public async Task Bench_OverDelayAndLoss_MovesEveryByteAllTheSame()
    {
        await using var hosts = await TryAsync();
        Assert.SkipWhen(await hosts.TryStartDelayAsync(5, 0.5, 500) is null, "delaylink.c cannot be built here");
        await ServeAsync(hosts, HostNamespaces.SlowAddressA);

        var (status, report) = await CheckAsync(hosts, HostNamespaces.SlowAddressA, null, "--floor", "0.0001");
        Assert.True(status == 0, report.ToJsonString());
        var rows = await BenchAsync(hosts, HostNamespaces.SlowAddressA, "--sizes", "1MiB", "--direction", "read,write", "--time", "3", "--rounds", "1");

        Assert.All(rows, row => Assert.True(row!["failure"] is null && row["gigabytesPerSecond"]!.GetValue<double>() > 0, row!.ToJsonString()));
    }

    [Theory]
    [InlineData("link")] // the cable is pulled
    [InlineData("drop")] // a firewall eats packets
    public async Task Partition_Midway_FailsWithinSecondsAndHealsByAnotherConnect(string how)
    {
        await using var hosts = await ReadyAsync(HostNamespaces.AddressA);
        var bench = StartBench(hosts, HostNamespaces.AddressA, "--sizes", "4MiB", "--time", "60", "--rounds", "1");
        await Task.Delay(TimeSpan.FromSeconds(12), TestContext.Current.CancellationToken); // started, connected, past its warming up
        Assert.False(bench.HasExited, "The measurement ended before the partition.");
        var clock = Stopwatch.StartNew();

        await HostNamespaces.ExecuteAsync(hosts.A, how == "link" ? "ip link set vA down" : "iptables -A INPUT -i vA -j DROP");

        var row = JsonNode.Parse(await bench.StandardOutput.ReadToEndAsync())!.AsArray()[0]!;
        Assert.InRange(clock.Elapsed.TotalSeconds, 1, 15);
        // Either this end hears nothing for three seconds, or the lender does, and what it says on closing still comes through. The read that says so
        // was under way (Read), or began on the dead connection (Connect).
        Assert.Matches(@"^(TimedOut \((Read|Connect), Remote\): .* has (shown no sign of life|moved no byte)|ConnectionLost \((Read|Connect), Remote\))", row["failure"]!.GetValue<string>());
        await HostNamespaces.ExecuteAsync(hosts.A, how == "link" ? "ip link set vA up" : "iptables -D INPUT -i vA -j DROP");
        await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken); // the lender notices its side of the death
        var (status, report) = await CheckAsync(hosts, HostNamespaces.AddressA);
        Assert.True(status == 0, report.ToJsonString());
    }

    private static string Found(JsonNode report, string step) => report["steps"]!.AsArray().Single(one => one!["name"]!.GetValue<string>() == step)!["found"]!.GetValue<string>();

    private static async Task<HostNamespaces> TryAsync()
    {
        var hosts = await HostNamespaces.TryMakeAsync();
        Assert.SkipWhen(hosts is null, HostNamespaces.NotAllowed);
        return hosts!;
    }

    private static async Task<HostNamespaces> ReadyAsync(string address)
    {
        var hosts = await TryAsync();
        await ServeAsync(hosts, address);
        return hosts;
    }

    private static async Task ServeAsync(HostNamespaces hosts, string address)
    {
        var lender = hosts.StartFerry(hosts.A, Secret, "transport", "bench", "--listen", $"{address}:{Port}", "--lend", "64MiB", "--stop-on-stdin-close");
        var line = await lender.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("lending at", line, StringComparison.Ordinal);
    }

    private static async Task<(int Status, JsonNode Report)> CheckAsync(
        HostNamespaces hosts, string address, Dictionary<string, string>? environment = null, params string[] more)
    {
        var check = hosts.StartFerry(hosts.B, environment ?? Secret, ["transport", "check", $"{address}:{Port}", "--json", "--time", "0.5", .. more]);
        var text = await check.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await check.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (check.ExitCode, JsonNode.Parse(text)!);
    }

    private static Process StartBench(HostNamespaces hosts, string address, params string[] more) =>
        hosts.StartFerry(hosts.B, Secret, ["transport", "bench", "--peer", $"{address}:{Port}", "--media", "tcp", "--depth", "4", "--json", .. more]);

    private static async Task<JsonArray> BenchAsync(HostNamespaces hosts, string address, params string[] more)
    {
        var bench = StartBench(hosts, address, more);
        return JsonNode.Parse(await bench.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))!.AsArray();
    }
}
