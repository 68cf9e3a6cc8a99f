using System.Net;
using System.Security.Cryptography;
using System.Text;
using Ferry.Kv.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Admin;

/// <summary>What operators ask of a router, on a port of its own: loopback unless configured otherwise, and then only with a token.</summary>
internal sealed class AdminServer : IAsyncDisposable
{
    private const int MaxTokenBytes = 512;

    private readonly WebApplication _app;

    private AdminServer(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>Null: the options ask for none.</summary>
    /// <exception cref="IOException">The port is taken, or the token file cannot be read.</exception>
    public static async Task<AdminServer?> StartAsync(RouterRuntime router, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        var options = router.Options;
        if (options.AdminPort < 0) { return null; }
        var token = options.AdminTokenFile.Length > 0 ? (await File.ReadAllTextAsync(options.AdminTokenFile, cancellationToken)).Trim() : null;
        if (token is { Length: 0 or > MaxTokenBytes }) { throw new IOException($"{options.AdminTokenFile} holds no token: write 1 to {MaxTokenBytes} characters into it."); }
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 256;
            kestrel.Listen(options.AdminHost == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.AdminHost), options.AdminPort);
        });
        builder.Services.AddRoutingCore();
        logging(builder.Logging);
        var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Ferry.Router.Admin");
        var server = new AdminServer(app);
        app.Use((context, next) => GuardAsync(context, next, token));
        app.UseRouting();
        server.Map(router, logger);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
        server.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void Map(RouterRuntime router, ILogger logger)
    {
        var drains = new NodeDrain(router, logger);
        _app.MapGet("/admin/state", context => WriteAsync(context, 200, AdminState.Write(router)));
        _app.MapPost("/admin/nodes/{id}/drain", drains.DrainAsync);
        _app.MapPost("/admin/nodes/{id}/undrain", drains.UndrainAsync);
        _app.MapPost("/admin/reload", async context =>
        {
            var errors = await router.ReloadAsync(context.RequestAborted);
            await WriteAsync(context, errors.Count == 0 ? 200 : 422, AdminState.WriteReload(errors));
        });
        _app.MapGet("/health", context => WriteAsync(context, 200, "{}"u8.ToArray()));
        _app.MapGet("/metrics", async context =>
        {
            var text = new StringBuilder();
            router.Metrics.Registry.WriteText(text);
            context.Response.ContentType = MetricRegistry.ContentType;
            await context.Response.WriteAsync(text.ToString(), context.RequestAborted);
        });
        _app.MapFallback(context => WriteErrorAsync(context, 404, $"There is no {context.Request.Method} {context.Request.Path} here."));
    }

    /// <summary>Browsers are kept out (a page must not drain nodes behind its reader's back), and whoever has no token where there is one.</summary>
    private static Task GuardAsync(HttpContext context, RequestDelegate next, string? token)
    {
        if (context.Request.Headers.ContainsKey("Origin") || context.Request.Headers.ContainsKey("Sec-Fetch-Site"))
        {
            return WriteErrorAsync(context, 403, "Requests of web pages are not taken here.");
        }
        if (token is null) { return next(context); }
        string header = context.Request.Headers.Authorization.ToString();
        var sent = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : "";
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(sent)), SHA256.HashData(Encoding.UTF8.GetBytes(token)))
            ? next(context)
            : WriteErrorAsync(context, 401, "Send the admin token as 'Authorization: Bearer TOKEN'.");
    }

    internal static Task WriteErrorAsync(HttpContext context, int status, string message) => WriteAsync(context, status, AdminState.WriteError(message));

    internal static async Task WriteAsync(HttpContext context, int status, byte[] json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }
}
