using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>One node without a connector: what every other way is compared with.</summary>
public sealed class PlainNode : IAsyncLifetime
{
    private ServeNode? _node;

    internal ServeNode Node => _node!;

    public async ValueTask InitializeAsync() => _node = await ServeNode.StartAsync("cpu", 1, role: null);

    public async ValueTask DisposeAsync() => await _node!.DisposeAsync();
}
