using System.Net;
using Ferry.Router.Admin;
using Ferry.Router.Configuration;
using Ferry.Router.Connectors;
using Ferry.Router.Forwarding;
using Ferry.Router.Metrics;
using Ferry.Router.Routes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Hosting;

/// <summary>The router's HTTP server.</summary>
public sealed class RouterHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly LegSender _sender;
    private readonly NodeVersions _versions;

    private readonly RouterRuntime _runtime;
    private AdminServer? _admin;

    private RouterHost(WebApplication app, LegSender sender, NodeVersions versions, RouterRuntime runtime)
    {
        _app = app;
        _sender = sender;
        _versions = versions;
        _runtime = runtime;
    }

    /// <summary>Where clients reach it, with the port that was taken.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>Where operators reach it; null: nowhere.</summary>
    public Uri? AdminAddress => _admin?.Address;

    /// <param name="options">Already valid.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static Task<RouterHost> StartAsync(RouterOptions options, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken) =>
        StartAsync(RouterConfiguration.Of(options), options, clock, logging, cancellationToken);

    /// <param name="configuration">Where the options came from: they can be read again.</param>
    /// <param name="options">Read from there, and valid.</param>
    /// <exception cref="IOException">A port is taken, or a file cannot be read.</exception>
    /// <exception cref="RouterStartException">A file that the options name has errors.</exception>
    public static async Task<RouterHost> StartAsync(
        RouterConfiguration configuration, RouterOptions options, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        // The empty builder reads no files and no ASPNETCORE_ environment: the flags alone decide.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        // Nothing here blocks, so a request may go on where its bytes came in: two hand-overs between threads less for each read and write.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true).ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ConnectionMemory>();
        RouterTelemetry.Add(builder.Services, options.Forwarding.OtlpEndpoint);
        logging(builder.Logging);
        // The host's own span and log scope of each request would be made for nobody: the router has its own.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        var app = builder.Build();
        var sender = new LegSender(options);
        var metrics = new RouterMetrics();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Ferry.Router");
        var runtime = new RouterRuntime(configuration, options, metrics, clock, logger, sender.ProbeAsync, (ulong)Guid.NewGuid().GetHashCode());
        var versions = new NodeVersions(() => runtime.Nodes.Current.Nodes, sender, clock, logger);
        var state = new RouterState(runtime, sender, metrics, clock, logger) { Versions = versions };
        app.UseMiddleware<RouterMiddleware>(state);
        RouterEndpoints.Map(app, state);
        var host = new RouterHost(app, sender, versions, runtime);
        try
        {
            await runtime.StartAsync(cancellationToken);
            await app.StartAsync(cancellationToken);
            host._admin = await AdminServer.StartAsync(runtime, logging, cancellationToken);
            versions.Start();
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        host.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
            .Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "127.0.0.1", StringComparison.Ordinal));
        return host;
    }

    /// <summary>Reads the configuration again; with an error nothing changes.</summary>
    /// <returns>The errors.</returns>
    public Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken) => _runtime.ReloadAsync(cancellationToken);

    internal RouterRuntime Runtime => _runtime;

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_admin is not null)
        {
            await _admin.DisposeAsync();
        }
        await _app.DisposeAsync();
        await _runtime.DisposeAsync();
        await _versions.DisposeAsync();
        _sender.Dispose();
    }

    private static void Configure(KestrelServerOptions kestrel, RouterOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Listen(IPAddress.TryParse(options.Host, out var address) ? address : Dns.GetHostAddresses(options.Host)[0], options.Port, listen => ClientTls.Apply(options.Forwarding.Tls, listen));
    }
}
