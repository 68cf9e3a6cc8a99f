using System.Diagnostics;
using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Router;
using Ferry.IntegrationTests.Serving;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Clients;

/// <summary>The OpenAI client of npm, unmodified, driven by a script; npm installs it once into artifacts/.</summary>
public sealed class NpmOpenAiTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Client_AgainstANode_SeesAnswersStreamsAndErrors()
    {
        await using var node = await ServeFixture.StartAsync();
        var seen = await RunAsync(node.Address, "scripted");
        Assert.Equal(("Hello", "Hello", "Hello", "length", 5, 5), (Text(seen, "completion"), Text(seen, "chat"), Text(seen, "streamed"), Text(seen, "finish"), seen["usage"]!.GetValue<int>(), seen["streamedUsage"]!.GetValue<int>()));
        Assert.Equal(["scripted", "alias"], seen["models"]!.AsArray().Select(name => name!.GetValue<string>()));
        Assert.Equal((400, "BadRequestError"), (seen["error"]!["status"]!.GetValue<int>(), seen["error"]!["type"]!.GetValue<string>()));
        Assert.StartsWith("temperature must be non-negative", seen["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_ThroughTheRouter_PassesTheConformanceRun()
    {
        await using var router = await RouterFixture.StartAsync();
        (router.Prefill.CachedTokens, router.Decode.CachedTokens) = (2, 0);
        await using var broken = await RouterFixture.StartAsync();
        broken.Decode.ErrorAfterEvents = 2;
        broken.Decode.StreamGate = new TaskCompletionSource();
        broken.Prefill.RefusesModel = "refused";
        var gate = Task.Run(async () =>
        {
            await Eventually.HoldsAsync(() => broken.Decode.Requests.Count == 1);
            await Task.Delay(200);   // for the first event to be on its way to the client: a failure before that is hidden by a retry
            broken.Decode.StreamGate.SetResult();
        });
        var directory = await InstallAsync();
        var seen = JsonNode.Parse(await ExecuteAsync("node", directory, "router.mjs", new Uri(router.Address, "/v1").ToString(), "stub", new Uri(broken.Address, "/v1").ToString()))!;
        await gate;
        const string All = " tok0 tok1 tok2 tok3";
        Same($"""["{All}","length",4,2]""", "completion");
        Same($"""["{All}","assistant","length",2]""", "chat");
        Same($"""["{All}",4,2]""", "response");
        foreach (var stream in (string[])["completionStream", "chatStream"])
        {
            Assert.Equal((All, 4, 2), (Text(seen[stream]!, "text"), seen[stream]!["usage"]!["completion_tokens"]!.GetValue<int>(), seen[stream]!["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>()));
        }
        Same("""[[0," tok0 tok1"],[1," tok0 tok1"],[2," tok0 tok1"],[3," tok0 tok1"]]""", "prompts");
        Same("""[[0," tok0"],[1," tok0"],[2," tok0"]]""", "choices");
        Same("""[[0," tok0 tok1","length"],[1," tok0 tok1","length"]]""", "assembled");
        Same($$"""{"text":"{{All}}","types":["response.created","response.completed"]}""", "responseStream");
        Same("""["stub"]""", "models");
        Same("true", "requestId");
        Same("""[400,"BadRequestError","as told"]""", "refusal");
        Assert.Contains("Internal server error", Text(seen, "streamError"), StringComparison.Ordinal);
        Same("\"chat.completion.chunk\"", "left");
        await Eventually.HoldsAsync(() => router.Decode.InFlight == 0 && router.Prefill.InFlight == 0);

        void Same(string expected, string name) => Assert.Equal(expected, seen[name]?.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    private static string Text(JsonNode seen, string name) => seen[name]!.GetValue<string>();

    private static async Task<JsonNode> RunAsync(Uri address, string model)
    {
        var directory = await InstallAsync();
        var output = await ExecuteAsync("node", directory, "client.mjs", new Uri(address, "/v1").ToString(), model);
        return JsonNode.Parse(output)!;
    }

    /// <summary>Copies script and package into artifacts/ and installs once.</summary>
    private static async Task<string> InstallAsync()
    {
        var source = RepositoryRoot.At("tests", "Ferry.IntegrationTests", "Clients", "npm");
        var target = RepositoryRoot.At("artifacts", "npm-openai");
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        }
        if (!Directory.Exists(Path.Combine(target, "node_modules", "openai")))
        {
            await ExecuteAsync("npm", target, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error");
        }
        return target;
    }

    private static async Task<string> ExecuteAsync(string program, string directory, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
        return await output;
    }
}
