using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ferry.Engine.Generation;
using Ferry.Serving;
using Ferry.Serving.Hosting;
using Ferry.Serving.Options;
using Ferry.TestKit.Serving;

namespace Ferry.IntegrationTests.Serving;

/// <summary>A node over a scripted engine, listening on loopback.</summary>
internal sealed class ServeFixture : IAsyncDisposable
{
    private readonly ServeHost _host;

    private ServeFixture(ServeHost host, ScriptedEngine engine)
    {
        _host = host;
        Engine = engine;
        Http = new HttpClient { BaseAddress = host.Address };
    }

    public ScriptedEngine Engine { get; }

    public HttpClient Http { get; }

    public Uri Address => _host.Address;

    public static async Task<ServeFixture> StartAsync(ApiOptions? api = null, IKvReports? reports = null, ScriptedEngine? engine = null)
    {
        engine ??= new ScriptedEngine();
        var options = new ServeOptions
        {
            Model = "scripted",
            ServedModelNames = ["scripted", "alias"],
            Host = "127.0.0.1",
            Port = 0,
            Engine = new EngineOptions(),
            Api = api ?? new ApiOptions(),
        };
        return new ServeFixture(await ServeHost.StartAsync(options, engine, reports, cache: null, TimeProvider.System, _ => { }, CancellationToken.None), engine);
    }

    public async Task<(HttpResponseMessage Response, JsonObject Body)> PostAsync(string path, string json, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        var response = await Http.SendAsync(request);
        return (response, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }

    /// <summary>The data of all events, [DONE] included.</summary>
    public async Task<(HttpResponseMessage Response, IReadOnlyList<string> Events)> StreamAsync(string path, string json)
    {
        var response = await Http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        return (response, [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line["data: ".Length..])]);
    }

    public static void AssertError((HttpResponseMessage Response, JsonObject Body) answer, HttpStatusCode status, string type, string message)
    {
        Xunit.Assert.Equal(status, answer.Response.StatusCode);
        var error = answer.Body["error"]!;
        Xunit.Assert.Contains(message, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Xunit.Assert.Equal((type, (int)status), (error["type"]!.GetValue<string>(), error["code"]!.GetValue<int>()));
        Xunit.Assert.True(error.AsObject().ContainsKey("param"));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Engine.DisposeAsync();
        await _host.DisposeAsync();
    }
}
