using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>A prefill and a decode node of every profile and TP size, each a process of its own, and a plain node to compare with.</summary>
public sealed class ProfileMatrix : IAsyncLifetime
{
    private const int StartedAtOnce = 3; // More only contend for two cores.

    private readonly Dictionary<(string Device, int TensorParallel), ServeNode> _prefill = [];
    private readonly Dictionary<(string Device, int TensorParallel), ServeNode> _decode = [];
    private ServeNode? _plain;

    public static IEnumerable<(string Device, int TensorParallel)> Shapes =>
        from device in (string[])["mi300x", "gaudi3", "cpu"] from tensorParallel in (int[])[1, 2, 4] select (device, tensorParallel);

    internal ServeNode Plain => _plain!;

    internal ServeNode Prefill(string device, int tensorParallel) => _prefill[(device, tensorParallel)];

    internal ServeNode Decode(string device, int tensorParallel) => _decode[(device, tensorParallel)];

    public async ValueTask InitializeAsync()
    {
        _plain = await ServeNode.StartAsync("cpu", 1, role: null);
        foreach (var batch in Shapes.Chunk(StartedAtOnce))
        {
            await Task.WhenAll(batch.Select(StartAsync));
        }
    }

    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(_prefill.Values.Concat(_decode.Values).Append(_plain).OfType<ServeNode>().Select(node => node.DisposeAsync().AsTask()));

    private async Task StartAsync((string Device, int TensorParallel) shape)
    {
        // Without its own prefix cache a decode node must take every prompt from its peer.
        var prefill = await ServeNode.StartAsync(shape.Device, shape.TensorParallel, "kv_producer");
        var decode = await ServeNode.StartAsync(shape.Device, shape.TensorParallel, "kv_consumer", ["--no-enable-prefix-caching"]);
        lock (_prefill)
        {
            _prefill[shape] = prefill;
            _decode[shape] = decode;
        }
    }
}
