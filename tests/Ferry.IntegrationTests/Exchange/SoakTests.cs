using Ferry.TestKit.Exchange;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>The bounded form of <c>Ferry.Benchmarks exchange-soak --minutes 10</c>.</summary>
public sealed class SoakTests : IDisposable
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(24);

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-soak-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task MixedLoad_MuchLargerThanTheMemory_KeepsItFlatAndEveryByteRight()
    {
        await using var exchange = await ExchangeProcess.StartAsync(
            ["--memory", "64MiB", "--disk", Path.Combine(_directory, "disk"), "--disk-size", "256MiB", "--log-level", "warning"]);
        var report = await new SoakLoad(exchange.RespPort, exchange.ProcessId, keys: 600, seed: 7).RunAsync(Duration, connections: 3, CancellationToken.None);
        Assert.Equal(0, report.Wrong);
        Assert.True(report.BytesIn > 128 << 20, $"Only {report.BytesIn} bytes went in: the memory was not turned over.");
        // Half a minute: the arena fills late on a busy machine and the code is still being compiled. Ten minutes by hand hold 1.05.
        Assert.True(report.Growth < 1.5, $"Resident by quarter: {string.Join(", ", Enumerable.Range(0, 4).Select(report.Highest))}");
        var state = await exchange.StateAsync();
        Assert.True(state["memory"]!["used_bytes"]!.GetValue<long>() <= 64 << 20);
        Assert.True(state["disk"]!["allocated_bytes"]!.GetValue<long>() <= 256 << 20);
    }
}
