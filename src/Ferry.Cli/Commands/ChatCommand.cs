using System.CommandLine;
using System.Text.Json;
using Ferry.Cli.Client;
using Ferry.Cli.Help;
using Spectre.Console;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry chat</c>: a conversation with whatever serves the OpenAI surface, with proof of where its KV came from.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        var url = new Option<Uri>("--url") { Description = "Router or node to talk to.", DefaultValueFactory = _ => new Uri("http://127.0.0.1:8000") };
        var model = new Option<string?>("--model") { Description = "Model to ask for; the first one served if left out." };
        var system = new Option<string?>("--system") { Description = "System message at the start of the conversation." };
        var maxTokens = new Option<int>("--max-tokens") { Description = "Tokens of one answer at most.", DefaultValueFactory = _ => 200 };
        var temperature = new Option<double>("--temperature") { Description = "0 is greedy.", DefaultValueFactory = _ => 0 };
        var once = new Option<string?>("--once") { Description = "Ask this one question, print the answer and end." };
        var json = new Option<bool>("--json") { Description = "With --once: print the answer, its usage and its proof as JSON." };
        var command = new FerryCommand(
            "chat", "Talk to a running cluster; every answer says where its KV came from.",
            new CommandExample("ferry chat", "with what 'ferry up' has started"),
            new CommandExample("ferry chat --once 'Tell me a story about Anna and a red kite.'", "one question"),
            new CommandExample("ferry chat --once 'Hello!' --json", "the answer with its usage and the proof of what moved"),
            new CommandExample("ferry chat --url http://10.0.0.5:8000 --temperature 0.7", "another router, freer answers"))
        {
            url, model, system, maxTokens, temperature, once, json,
        };
        maxTokens.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError($"--max-tokens is {result.GetValueOrDefault<int>()}; it must be at least 1.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(json) && parsed.GetValue(once) is null)
            {
                throw new UsageException("--json prints one answer: give the question with --once.");
            }
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            var client = new FerryClient(http, parsed.GetValue(url)!, TimeProvider.System);
            var session = new ChatSession(client, parsed.GetValue(maxTokens), parsed.GetValue(temperature), parsed.GetValue(system), parsed.GetValue(json));
            try
            {
                return await session.RunAsync(parsed.GetValue(model), parsed.GetValue(once), cancellationToken);
            }
            catch (FerryClientException e)
            {
                await Console.Error.WriteLineAsync($"ferry chat: {e.Message}");
                return 1;
            }
            catch (OperationCanceledException)
            {
                return 0; // Ctrl-C is how a conversation ends.
            }
        });
        return command;
    }


    private sealed class ChatSession(FerryClient client, int maxTokens, double temperature, string? system, bool json)
    {
        private readonly List<ChatMessage> _messages = [];

        public async Task<int> RunAsync(string? model, string? question, CancellationToken cancellationToken)
        {
            var served = model ?? await client.FirstModelAsync(cancellationToken);
            Reset();
            if (question is not null)
            {
                await AskAsync(served, question, cancellationToken);
                return 0;
            }
            var interactive = !Console.IsInputRedirected;
            if (interactive)
            {
                AnsiConsole.MarkupLineInterpolated($"[grey]Talking to[/] {served}[grey]. /reset forgets the conversation, /quit or Ctrl-D ends it.[/]");
            }
            while (true)
            {
                if (interactive)
                {
                    AnsiConsole.Markup("[green]you >[/] ");
                }
                var line = await Console.In.ReadLineAsync(cancellationToken);
                switch (line?.Trim())
                {
                    case null or "/quit":
                        return 0;
                    case "":
                        continue;
                    case "/reset":
                        Reset();
                        continue;
                    default:
                        await AskAsync(served, line, cancellationToken);
                        continue;
                }
            }
        }

        private void Reset()
        {
            _messages.Clear();
            if (system is not null)
            {
                _messages.Add(new ChatMessage("system", system));
            }
        }

        private async Task AskAsync(string model, string question, CancellationToken cancellationToken)
        {
            _messages.Add(new ChatMessage("user", question));
            var turn = await client.ChatAsync(model, _messages, maxTokens, temperature, json ? _ => { } : Console.Write, cancellationToken);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new
                    {
                        turn.Text,
                        turn.PromptTokens,
                        turn.CachedTokens,
                        turn.CompletionTokens,
                        turn.FinishReason,
                        turn.Headers,
                        TimeToFirstTokenMs = turn.TimeToFirstToken.TotalMilliseconds,
                        TotalMs = turn.Total.TotalMilliseconds,
                    },
                    JsonOutput.Format));
                return;
            }
            Console.WriteLine();
            _messages.Add(new ChatMessage("assistant", turn.Text));
            AnsiConsole.MarkupLineInterpolated($"[grey]{Footer(turn)}[/]");
        }

        private static string Footer(ChatTurn turn)
        {
            var moved = turn.Headers.TryGetValue("x-ferry-kv-tokens", out var tokens) && tokens != "0"
                ? $" · KV of {tokens} tokens from {turn.Headers.GetValueOrDefault("x-ferry-kv-source", "?")}, checksums {turn.Headers.GetValueOrDefault("x-ferry-kv-checksum", "?")}"
                : "";
            return $"{turn.PromptTokens} + {turn.CompletionTokens} tokens · first after {turn.TimeToFirstToken.TotalMilliseconds:F0} ms{moved}";
        }
    }
}
