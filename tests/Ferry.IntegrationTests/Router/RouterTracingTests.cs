using System.Diagnostics;
using System.Net;
using Ferry.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ferry.IntegrationTests.Router;

public sealed class RouterTracingTests
{
    private const string Completion = """{"model":"stub","prompt":"Hello world","max_tokens":4}""";
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Parent = $"00-{TraceId}-00f067aa0ba902b7-01";

    [Fact]
    public async Task Spans_OfARequest_AreExportedAndReachBothLegs()
    {
        var exported = new MemoryStream();
        await using var collector = await CollectorAsync(exported);
        var endpoint = collector.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await using (var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { OtlpEndpoint = endpoint } }))
        {
            await router.PostAsync("/v1/completions", Completion, ("traceparent", Parent), ("tracestate", "vendor=1"));
            string[] parents = [.. router.Prefill.Requests.Concat(router.Decode.Requests).Select(leg => leg.Headers["traceparent"])];
            Assert.All(parents, parent => Assert.StartsWith($"00-{TraceId}-", parent, StringComparison.Ordinal));
            Assert.DoesNotContain(Parent, parents);   // each leg has a span of its own
            Assert.Equal(2, parents.Distinct().Count());
            Assert.All(router.Prefill.Requests, leg => Assert.Equal("vendor=1", leg.Headers["tracestate"]));
        }
        // The exporter sends what is left when the router stops.
        var bytes = exported.ToArray();
        Assert.True(bytes.AsSpan().IndexOf(Convert.FromHexString(TraceId)) >= 0);
        Assert.All((string[])["ferry.route", "prefill", "decode", "ferry.request_id"], name => Assert.True(bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(name)) >= 0, name));
    }

    [Fact]
    public async Task NoExporter_TheClientsContextPassesAsItIs()
    {
        await using var router = await RouterFixture.StartAsync();
        Assert.Null(Activity.Current);
        await router.PostAsync("/v1/completions", Completion, ("traceparent", Parent));
        Assert.All(router.Prefill.Requests.Concat(router.Decode.Requests), leg => Assert.Equal(Parent, leg.Headers["traceparent"]));
    }

    [Theory]
    [InlineData("""{"model":"stub","prompt":"Hello world","max_tokens":4}""", "200 ok")]
    [InlineData("""{"prompt":""", "400 The request body is not valid JSON")]
    public async Task Log_HasOneLineARequest(string body, string says)
    {
        var lines = new Lines();
        await using var router = await RouterFixture.StartAsync(logging: logging => logging.AddProvider(lines).SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning));
        await router.PostAsync("/v1/completions", body, ("X-Request-Id", "seen"));
        await Eventually.HoldsAsync(() => lines.All.Any(line => line.Contains("/v1/completions", StringComparison.Ordinal)));
        var line = Assert.Single(lines.All, line => line.Contains("seen-", StringComparison.Ordinal));
        Assert.Contains($"POST /v1/completions {says}", line, StringComparison.Ordinal);
    }

    private static async Task<WebApplication> CollectorAsync(MemoryStream exported)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.UseRouting();
        app.MapPost("/v1/traces", context => context.Request.Body.CopyToAsync(exported));
        await app.StartAsync();
        return app;
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _all = new();

        public IReadOnlyList<string> All => [.. _all];

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _all.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
