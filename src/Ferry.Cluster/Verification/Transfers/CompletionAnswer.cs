using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Ferry.Cluster.Verification.Transfers;

/// <summary>One completion: its tokens and what came with it.</summary>
/// <param name="Status">HTTP.</param>
/// <param name="Problem">Empty: it is a completion.</param>
/// <param name="Tokens">Ids as the engine gives them; its text alone where it gives none.</param>
/// <param name="Headers">Of Ferry's router and nodes: x-ferry-*.</param>
internal sealed record CompletionAnswer(int Status, string Problem, string Tokens, long PromptTokens, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>Enough to tell two runs apart, few enough to cost nothing.</summary>
    public const int OutputTokens = 16;

    public bool IsTooLong => Status == 400 && (Problem.Contains("length", StringComparison.OrdinalIgnoreCase) || Problem.Contains("tokens", StringComparison.OrdinalIgnoreCase));

    /// <summary>Tokens whose KV a Ferry node says it took from outside.</summary>
    public long KvTokens => long.TryParse(Headers.GetValueOrDefault("x-ferry-kv-tokens"), out var tokens) ? tokens : 0;

    public long KvBytes => long.TryParse(Headers.GetValueOrDefault("x-ferry-kv-bytes-moved"), out var bytes) ? bytes : 0;

    /// <summary>Asks for a completion without randomness.</summary>
    /// <param name="salt">Runs of different salts share no cached KV, where the engine knows salts.</param>
    /// <exception cref="HttpRequestException">Nobody answered.</exception>
    public static async Task<CompletionAnswer> AskAsync(HttpClient http, Uri server, string model, string prompt, string salt, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["prompt"] = prompt,
            ["max_tokens"] = OutputTokens,
            ["min_tokens"] = OutputTokens,
            ["temperature"] = 0,
            ["seed"] = 1,
            ["logprobs"] = 1,
            ["return_tokens_as_token_ids"] = true,
            ["cache_salt"] = salt,
        };
        using var response = await http.PostAsJsonAsync(new Uri(server, "/v1/completions"), body, cancellationToken);
        var headers = response.Headers.Where(header => header.Key.StartsWith("x-ferry-", StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key, header => string.Join(',', header.Value), StringComparer.OrdinalIgnoreCase);
        var (json, problem) = await HttpAnswers.ReadJsonAsync(response, cancellationToken);
        var choice = (json?["choices"] as JsonArray)?.FirstOrDefault();
        if (choice is null || choice.Text("finish_reason") == "error")
        {
            return new CompletionAnswer((int)response.StatusCode, problem.Length > 0 ? problem : json is null ? "no answer" : "finish_reason is error", "", 0, headers);
        }
        var ids = choice["logprobs"]?["tokens"] is JsonArray tokens ? string.Join(' ', tokens.Select(token => token?.ToString())) : choice.Text("text") ?? "";
        return new CompletionAnswer((int)response.StatusCode, "", ids, json!["usage"].Number("prompt_tokens") ?? 0, headers);
    }
}
