using Microsoft.Extensions.Hosting;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>A front that a host starts and stops.</summary>
public sealed class FrontService(Func<CancellationToken, Task<ClientFront>> start) : IHostedService, IAsyncDisposable
{
    /// <summary>Null until the host has started.</summary>
    public ClientFront? Front { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken) => Front = await start(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Front?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => Front?.DisposeAsync() ?? ValueTask.CompletedTask;
}
