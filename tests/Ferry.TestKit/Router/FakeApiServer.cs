using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Ferry.TestKit.Router;

/// <summary>Answers a Kubernetes API server's list and watch of EndpointSlices with given JSON. It is no API server: it selects and checks nothing.</summary>
public sealed class FakeApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();

    private FakeApiServer(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>What a list answers.</summary>
    public string List { get; set; } = "";

    /// <summary>Answers lists with this status.</summary>
    public int Status { get; set; } = 200;

    /// <summary>Query strings seen.</summary>
    public List<string> Queries { get; } = [];

    public static async Task<FakeApiServer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        var fake = new FakeApiServer(app);
        app.UseRouting();
        app.MapGet("/apis/discovery.k8s.io/v1/namespaces/ai/endpointslices", fake.AnswerAsync);
        await app.StartAsync();
        fake.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return fake;
    }

    /// <summary>Sends a watch event: one line of JSON.</summary>
    public void Send(string line) => _events.Writer.TryWrite(line.ReplaceLineEndings(""));

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        lock (Queries) { Queries.Add(context.Request.QueryString.Value ?? ""); }
        context.Response.ContentType = "application/json";
        context.Response.StatusCode = Status;
        if (context.Request.Query["watch"] != "true")
        {
            await context.Response.WriteAsync(Status == 200 ? List : """{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}""");
            return;
        }
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await foreach (var line in _events.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync(line + "\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
