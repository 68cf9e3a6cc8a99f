using Ferry.Transfer.Host;

namespace Ferry.UnitTests.Transfer.Host;

/// <summary>A folder with the files that a kernel would show.</summary>
internal sealed class FakeHost : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ferry-host-").FullName;

    public HostFiles Files => new(_root);

    public FakeHost Add(string path, string text = "")
    {
        var full = _root + path;
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text + "\n");
        return this;
    }

    /// <summary>One port of an RDMA device.</summary>
    public FakeHost AddRdma(string device, string state, string layer = "InfiniBand", string? networkInterface = null)
    {
        var port = $"/sys/class/infiniband/{device}/ports/1";
        Add($"{port}/state", state).Add($"{port}/phys_state", state == "4: ACTIVE" ? "5: LinkUp" : "2: Polling")
            .Add($"{port}/link_layer", layer).Add($"{port}/rate", "400 Gb/sec (4X NDR)");
        return networkInterface is null ? this : Add($"/sys/class/infiniband/{device}/device/net/{networkInterface}/mtu", "1500");
    }

    public FakeHost AddLimits(string locked, string capabilities = "0000000000000000") =>
        Add("/proc/self/limits", $"Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         {locked,-20} {locked,-20} bytes")
            .Add("/proc/self/status", $"Name:\tferry\nCapEff:\t{capabilities}\nSeccomp:\t2");

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
