using System.Net;
using Ferry.Router.Admission;
using Ferry.Router.Choosing;
using Ferry.Router.Connectors;
using Ferry.Router.Forwarding;
using Ferry.Router.Metrics;
using Ferry.Router.Policies;
using Ferry.Router.Routes;
using Microsoft.AspNetCore.Builder;
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

    private RouterHost(WebApplication app, LegSender sender, NodeVersions versions)
    {
        _app = app;
        _sender = sender;
        _versions = versions;
    }

    /// <summary>Where clients reach it, with the port that was taken.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <param name="options">Already valid.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<RouterHost> StartAsync(RouterOptions options, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        // The empty builder reads no files and no ASPNETCORE_ environment: the flags alone decide.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.AddRoutingCore();
        RouterTelemetry.Add(builder.Services, options.Forwarding.OtlpEndpoint);
        logging(builder.Logging);
        var app = builder.Build();
        var sender = new LegSender(options);
        var metrics = new RouterMetrics();
        var prefill = new NodePool(options.Prefill, NodeRole.Prefill, NodePolicies.Create(options.Policy));
        var decode = new NodePool(options.Decode, NodeRole.Decode, NodePolicies.Create(options.Policy));
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Ferry.Router");
        var versions = new NodeVersions(() => [.. prefill.Nodes, .. decode.Nodes], sender, clock, logger);
        var state = new RouterState(options, prefill, decode, new NodeChooser(prefill, decode, metrics, clock), new AdmissionQueue(options.MaxInFlight), sender, metrics, clock, logger) { Versions = versions };
        app.UseRouting();
        app.UseMiddleware<RouterMiddleware>(state);
        RouterEndpoints.Map(app, state);
        var host = new RouterHost(app, sender, versions);
        try
        {
            await app.StartAsync(cancellationToken);
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

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
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
