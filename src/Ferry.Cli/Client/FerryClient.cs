using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ferry.Cli.Client;

/// <summary>The few calls of the OpenAI surface that the command line itself makes.</summary>
internal sealed class FerryClient(HttpClient http, Uri url, TimeProvider time)
{
    private const int ErrorBytesMax = 64 << 10; // More than any error that a server means for a person.

    /// <exception cref="FerryClientException">Not reachable, or it serves no model.</exception>
    public async Task<string> FirstModelAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(url, "/v1/models")), cancellationToken);
        var body = await response.Content.ReadFromJsonAsync<JsonObject>(cancellationToken);
        return (string?)body?["data"]?[0]?["id"]
            ?? throw new FerryClientException($"{url} serves no model: GET /v1/models answered {body?.ToJsonString()}.");
    }

    /// <summary>Streams one answer.</summary>
    /// <param name="onText">Called with each piece of text as it comes.</param>
    /// <exception cref="FerryClientException">Not reachable, refused, or ended by an error in the stream.</exception>
    public async Task<ChatTurn> ChatAsync(
        string model, IReadOnlyList<ChatMessage> messages, int maxTokens, double temperature, Action<string> onText, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray([.. messages.Select(m => new JsonObject { ["role"] = m.Role, ["content"] = m.Content })]),
            ["max_tokens"] = maxTokens,
            ["temperature"] = temperature,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
        };
        var started = time.GetTimestamp();
        TimeSpan? first = null;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(url, "/v1/chat/completions")) { Content = JsonContent.Create(body) };
        using var response = await SendAsync(request, cancellationToken);
        var text = new System.Text.StringBuilder();
        var finish = "";
        JsonNode? usage = null;
        await foreach (var chunk in EventsAsync(response, cancellationToken))
        {
            if (chunk["error"] is { } error)
            {
                throw new FerryClientException($"{url} ended the stream with an error: {(string?)error["message"] ?? error.ToJsonString()}");
            }
            usage = chunk["usage"] ?? usage;
            if (chunk["choices"] is not JsonArray { Count: > 0 } choices)
            {
                continue;
            }
            finish = (string?)choices[0]?["finish_reason"] ?? finish;
            if ((string?)choices[0]?["delta"]?["content"] is { Length: > 0 } piece)
            {
                first ??= time.GetElapsedTime(started);
                text.Append(piece);
                onText(piece);
            }
        }
        var total = time.GetElapsedTime(started);
        return new ChatTurn(
            text.ToString(), (int?)usage?["prompt_tokens"] ?? 0, (int?)usage?["prompt_tokens_details"]?["cached_tokens"] ?? 0,
            (int?)usage?["completion_tokens"] ?? 0, finish, FerryHeaders(response), first ?? total, total);
    }

    private static Dictionary<string, string> FerryHeaders(HttpResponseMessage response) =>
        response.Headers.Where(header => header.Key.StartsWith("x-ferry-", StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(", ", header.Value));

    private static async IAsyncEnumerable<JsonNode> EventsAsync(
        HttpResponseMessage response, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
            {
                continue; // A blank line between events, or a comment.
            }
            if (line == "data: [DONE]")
            {
                yield break;
            }
            yield return JsonNode.Parse(line["data: ".Length..])!;
        }
        throw new FerryClientException("The answer ended before its [DONE] mark: the connection was lost.");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new FerryClientException($"{url} cannot be reached: {e.Message}. Is 'ferry up' running there?", e);
        }
        if (response.IsSuccessStatusCode)
        {
            return response;
        }
        using (response)
        {
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new FerryClientException($"{request.RequestUri} answered {(int)response.StatusCode}: {Message(body)}");
        }
    }

    private static string Message(string body)
    {
        try
        {
            var error = JsonNode.Parse(body)?["error"];
            return (error is JsonObject o ? (string?)o["message"] : error?.ToString()) ?? body;
        }
        catch (JsonException)
        {
            return body.Length > ErrorBytesMax ? body[..ErrorBytesMax] : body;
        }
    }
}
