using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.BadInput;

/// <summary>What <c>ferry serve</c> is given by mistake: an exit code, and one message that names what, where and the way out.</summary>
public sealed class ServeRefusalTests : IDisposable
{
    private readonly string _copy = Directory.CreateTempSubdirectory("ferry-model-").FullName;

    public void Dispose() => Directory.Delete(_copy, recursive: true);

    [Fact]
    public async Task Serve_ModelPathUnknown_NamesThePath() =>
        await AssertRefusedAsync("/no/such/model", ["/no/such/model"]);

    [Fact]
    public async Task Serve_DirectoryWithoutConfig_NamesTheFile() =>
        await AssertRefusedAsync("config.json", [_copy]);

    [Fact]
    public async Task Serve_SafetensorsTruncated_NamesTheFileAndTheEnd()
    {
        CopyModel();
        var weights = Path.Combine(_copy, "model.safetensors");
        var bytes = await File.ReadAllBytesAsync(weights);
        await File.WriteAllBytesAsync(weights, bytes[..(bytes.Length / 2)]);
        await AssertRefusedAsync("model.safetensors", [_copy]);
    }

    [Fact]
    public async Task Serve_SafetensorsHeaderLengthHostile_NamesTheLimit()
    {
        CopyModel();
        var weights = Path.Combine(_copy, "model.safetensors");
        var bytes = await File.ReadAllBytesAsync(weights);
        BitConverter.TryWriteBytes(bytes, ulong.MaxValue);
        await File.WriteAllBytesAsync(weights, bytes);
        await AssertRefusedAsync("model.safetensors", [_copy]);
    }

    [Fact]
    public async Task Serve_ConfigNotJson_NamesTheFile()
    {
        CopyModel();
        await File.WriteAllTextAsync(Path.Combine(_copy, "config.json"), "{ \"hidden_size\": ");
        await AssertRefusedAsync("config.json", [_copy]);
    }

    [Theory]
    [InlineData("--max-num-seq", "4", "--max-num-seqs")]
    [InlineData("--devise", "cpu", "--device")]
    [InlineData("--kv-transfer-config", "{\"kv_connectr\":\"NixlConnector\"}", "kv_connector")]
    [InlineData("--kv-transfer-config", "{not json", "--kv-transfer-config")]
    [InlineData("--device", "mi300", "mi300x")]
    [InlineData("--tensor-parallel-size", "3", "3")]
    [InlineData("--port", "70000", "70000")]
    public async Task Serve_SettingUnknownOrWrong_NamesTheNearestOrTheLimit(string flag, string value, string named) =>
        await AssertRefusedAsync(named, [ServeNode.ModelDirectory, flag, value]);

    [Fact]
    public async Task Serve_EnvironmentNameUnknown_NamesTheNearest() =>
        await AssertRefusedAsync("LMCACHE_CHUNK_SIZE", [ServeNode.ModelDirectory], new Dictionary<string, string> { ["LMCACHE_CHUNKSIZE"] = "256" });

    [Fact]
    public async Task Serve_PortTaken_NamesThePort()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        await AssertRefusedAsync($"{port}", [ServeNode.ModelDirectory, "--host", "127.0.0.1", "--port", $"{port}"]);
    }

    private static async Task AssertRefusedAsync(string named, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var run = await FerryRun.RunAsync(["serve", .. arguments], environment);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(named, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at Ferry.", run.Error, StringComparison.Ordinal); // A stack trace is no message.
    }

    private void CopyModel()
    {
        foreach (var file in Directory.GetFiles(ServeNode.ModelDirectory))
        {
            File.Copy(file, Path.Combine(_copy, Path.GetFileName(file)));
        }
    }
}
