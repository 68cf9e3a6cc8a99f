using Ferry.Engine;

namespace Ferry.Cli.Up;

/// <summary>Which processes make the cluster, on which ports, with which arguments.</summary>
/// <param name="SecondPrefill">Only with a shared store: started later, its memory empty.</param>
internal sealed record ClusterPlan(NodeSpec Prefill, NodeSpec? SecondPrefill, NodeSpec Decode, Uri RouterUrl)
{
    private const int PrefillPort = 8100; // One hundred apart, as vLLM's own disaggregation examples have them.
    private const int DecodePort = 8200;
    private const int SideChannelPort = 5600; // vLLM's default.

    public static ClusterPlan Create(UpOptions options)
    {
        using var ports = new LoopbackPorts();
        var router = Loopback(ports.Take(options.Port));
        var prefill = Engine("prefill", options, options.PrefillDevice, options.PrefillTensorParallel, "kv_producer", ports, PrefillPort, SideChannelPort);
        var decode = Engine("decode", options, options.DecodeDevice, options.DecodeTensorParallel, "kv_consumer", ports, DecodePort, SideChannelPort + 1);
        var second = options.SharedDirectory is null
            ? null
            : Engine("prefill-2", options, options.PrefillDevice, options.PrefillTensorParallel, "kv_producer", ports, PrefillPort + 1, SideChannelPort + 2);
        return new ClusterPlan(prefill, second, decode, router);
    }

    /// <summary>The router in front of the prefill nodes given, asked in that order.</summary>
    public NodeSpec Router(params IEnumerable<NodeSpec> prefill) => new(
        "router", "", RouterUrl,
        [
            "route", "--host", "127.0.0.1", "--port", $"{RouterUrl.Port}", "--stop-on-stdin-close",
            .. prefill.SelectMany(node => (string[])["--prefill", node.Url.ToString()]), "--decode", Decode.Url.ToString(),
        ],
        new Dictionary<string, string>());

    private static string ModelName(string directory) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));

    private static Uri Loopback(int port) => new($"http://127.0.0.1:{port}");

    private static NodeSpec Engine(
        string name, UpOptions options, DeviceProfile device, int tensorParallel, string role, LoopbackPorts ports, int port, int sidePort)
    {
        var url = Loopback(ports.Take(port));
        var environment = new Dictionary<string, string>
        {
            ["VLLM_NIXL_SIDE_CHANNEL_HOST"] = "127.0.0.1",
            ["VLLM_NIXL_SIDE_CHANNEL_PORT"] = $"{ports.Take(sidePort)}",
            ["PYTHONHASHSEED"] = "0",
        };
        if (options.SharedDirectory is { } directory)
        {
            environment["LMCACHE_REMOTE_URL"] = new Uri(directory).AbsoluteUri;
        }
        var shape = $"{device.Name}: block {device.BlockTokens}, {device.Order.ToString().ToUpperInvariant()}, {device.Packing.ToString().ToLowerInvariant()}, TP {tensorParallel}";
        return new NodeSpec(
            name, shape, url,
            [
                "serve", options.Model, "--served-model-name", ModelName(options.Model), "--host", "127.0.0.1", "--port", $"{url.Port}", "--device", device.Name,
                "--tensor-parallel-size", $"{tensorParallel}", "--stop-on-stdin-close",
                "--kv-load", "always", // The shipped model computes about as fast as a directory reads; what is shown here is that the chunks are found.
                "--kv-transfer-config", $$"""{"kv_connector":"NixlConnector","kv_role":"{{role}}","kv_buffer_device":"cpu"}""",
            ],
            environment);
    }
}
