using System.Net;
using Ferry.Cache.Remote.Hosting.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>The HTTP server of metrics, state and administration. It does not own the exchange.</summary>
internal sealed class AdminHost : IAsyncDisposable
{
    private const int ConnectionsMax = 256;

    private readonly WebApplication _app;

    private AdminHost(WebApplication app, ListenAddress address) => (_app, Address) = (app, address);

    public ListenAddress Address { get; }

    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<AdminHost> StartAsync(
        ExchangeHost exchange, ListenAddress address, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        // The empty builder reads no files and no ASPNETCORE_ environment: the settings alone decide.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.MaxRequestBodySize = 1 << 20;   // an import lifts it for itself
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Listen(IPAddress.TryParse(address.Host, out var parsed) ? parsed : Dns.GetHostAddresses(address.Host)[0], address.Port);
        });
        builder.Services.AddRoutingCore();
        logging(builder.Logging);
        // What goes wrong at the start is told by the exception; the host would print its stack as well.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger<AdminHost>();
        app.UseMiddleware<AdminErrorMiddleware>(logger);
        if (exchange.Options.AdminToken is { } token)
        {
            app.UseMiddleware<AdminTokenMiddleware>(token);
        }
        app.UseRouting();
        AdminEndpoints.Map(app, exchange, clock);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            await app.DisposeAsync();
            throw exception is IOException
                ? new IOException($"cannot listen on {address} for administration: {exception.Message} Another process may have the port; take another with --admin, or 0 for a free one.", exception)
                : exception;
        }
        var bound = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return new AdminHost(app, address with { Port = bound.Port });
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _app.DisposeAsync();
    }
}
