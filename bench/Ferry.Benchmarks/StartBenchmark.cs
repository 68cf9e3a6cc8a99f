using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Ferry.Cli.Up;

namespace Ferry.Benchmarks;

/// <summary>From starting <c>ferry serve models/ferry-tiny</c> to its first token, beside the start of the runtime alone.</summary>
internal static class StartBenchmark
{
    private const int Rounds = 9;

    public static void Run(string[] args) => RunAsync(args.Length > 0 ? args[0] : ShippedModel.Find()).GetAwaiter().GetResult();

    private static async Task RunAsync(string model)
    {
        var runtime = new List<double>();
        var ready = new List<double>();
        var firstToken = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            runtime.Add(await RuntimeAloneAsync());
            var (readyMs, firstTokenMs) = await ServeAsync(model);
            ready.Add(readyMs);
            firstToken.Add(firstTokenMs);
        }
        Console.WriteLine($"{model}, median of {Rounds} alternating rounds, ms since the process was started");
        Console.WriteLine();
        Console.WriteLine("| | median ms | min–max | of the runtime alone |");
        Console.WriteLine("|---|---:|---:|---:|");
        Print("`ferry --version`: the runtime alone", runtime, runtime);
        Print("`ferry serve`: /health answers 200", ready, runtime);
        Print("`ferry serve`: first token of a chat answer (bar < 1000)", firstToken, runtime);
    }

    private static async Task<double> RuntimeAloneAsync()
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(NodeProcess).Assembly.Location, "--version"]) { RedirectStandardOutput = true })!;
        await process.WaitForExitAsync();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task<(double Ready, double FirstToken)> ServeAsync(string model)
    {
        int port;
        using (var ports = new LoopbackPorts())
        {
            port = ports.Take(0);
        }
        var url = new Uri($"http://127.0.0.1:{port}");
        var spec = new NodeSpec(
            "serve", "", url, ["serve", model, "--served-model-name", "model", "--host", "127.0.0.1", "--port", $"{port}", "--stop-on-stdin-close"], new Dictionary<string, string>());
        using var http = new HttpClient { BaseAddress = url };
        var started = Stopwatch.GetTimestamp();
        await using var node = NodeProcess.Start(spec, logFile: null);
        while (!await AnswersAsync(http))
        {
            if (node.HasExited)
            {
                throw new InvalidOperationException($"ferry serve ended with exit code {node.ExitCode}:{Environment.NewLine}{node.Tail}");
            }
        }
        var ready = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var body = new JsonObject
        {
            ["model"] = "model",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello!" }),
            ["max_tokens"] = 1,
        };
        using var response = await http.PostAsJsonAsync("/v1/chat/completions", body);
        response.EnsureSuccessStatusCode();
        return (ready, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    private static async Task<bool> AnswersAsync(HttpClient http)
    {
        try
        {
            using var response = await http.GetAsync("/health");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            await Task.Delay(2);
            return false;
        }
    }

    private static void Print(string what, List<double> values, List<double> runtime) => Console.WriteLine(
        $"| {what} | {values.Median():F0} | {values.Min():F0}–{values.Max():F0} | {values.Median() / runtime.Median():F1} × |");
}
