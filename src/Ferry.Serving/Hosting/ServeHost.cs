using System.Net;
using Ferry.Cache;
using Ferry.Engine.Generation;
using Ferry.Serving.Api;
using Ferry.Serving.Api.Errors;
using Ferry.Serving.Metrics;
using Ferry.Serving.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Hosting;

/// <summary>The HTTP server of one node over an engine. It does not own the engine.</summary>
public sealed class ServeHost : IAsyncDisposable
{
    /// <summary>A client must send its body at least this fast, after a grace of five seconds (Kestrel's own default, said here so that it stays).</summary>
    private static readonly MinDataRate SlowestBody = new(240, TimeSpan.FromSeconds(5));

    private readonly WebApplication _app;

    private ServeHost(WebApplication app) => _app = app;

    /// <summary>Where clients reach it, with the port that was taken.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>Listens.</summary>
    /// <param name="reports">Null when the node exchanges no KV.</param>
    /// <param name="cache">For its metrics; null when the node exchanges no KV.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<ServeHost> StartAsync(
        ServeOptions options, ILlmEngine engine, IKvReports? reports, RecordCache? cache, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        // The empty builder reads no files and no ASPNETCORE_ environment: the flags alone decide.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.AddRoutingCore();
        logging(builder.Logging);
        var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Ferry.Serving");
        var api = new ApiState(
            engine, options.ServedModelNames, options.Api, reports, new ServingMetrics(engine, reports, cache, options.ServedModelNames[0]), clock, logger);
        app.UseMiddleware<ErrorMiddleware>();
        app.UseMiddleware<ApiKeyMiddleware>(api);
        app.UseRouting();
        ApiEndpoints.Map(app, api);
        var host = new ServeHost(app);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        host.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
            .Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "127.0.0.1", StringComparison.Ordinal));
        return host;
    }

    /// <summary>Refuses new connections and gives running requests until <paramref name="cancellationToken"/>.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Configure(KestrelServerOptions kestrel, ServeOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.Api.MaxBodyBytes;
        kestrel.Limits.MinRequestBodyDataRate = SlowestBody;
        kestrel.Limits.MaxConcurrentConnections = options.Api.MaxConnections;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        if (IPAddress.TryParse(options.Host, out var address))
        {
            kestrel.Listen(address, options.Port);
        }
        else if (options.Host == "localhost" && options.Port != 0)
        {
            kestrel.ListenLocalhost(options.Port);
        }
        else
        {
            kestrel.Listen(Dns.GetHostAddresses(options.Host)[0], options.Port);
        }
    }
}
