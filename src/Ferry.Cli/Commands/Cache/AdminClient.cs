using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ferry.Cli.Commands.Cache;

/// <summary>Speaks to the admin port of a running exchange.</summary>
internal sealed class AdminClient : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="token">Null: none is sent.</param>
    public AdminClient(Uri address, string? token)
    {
        // Long work has no time-out of its own: whoever started it ends it.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) }) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <summary>Asks for one object.</summary>
    /// <exception cref="AdminClientException">The exchange is not there, or refuses; the message says why.</exception>
    public async Task<JsonObject> AskAsync(HttpMethod method, string path, CancellationToken cancellationToken, HttpContent? content = null)
    {
        using var response = await SendAsync(method, path, content, cancellationToken);
        return await ReadObjectAsync(response, cancellationToken);
    }

    /// <summary>Asks for a stream of objects, one a line.</summary>
    /// <exception cref="AdminClientException">As <see cref="AskAsync"/>, or the stream ends with an error or without its last line.</exception>
    public async IAsyncEnumerable<JsonObject> AskLinesAsync(HttpMethod method, string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, path, null, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        var isDone = false;
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            var row = Parse(line);
            if (row["error"] is { } error)
            {
                throw new AdminClientException($"the exchange gave up: {error}");
            }
            isDone = row["done"]?.GetValue<bool>() == true;
            yield return row;
        }
        if (!isDone)
        {
            throw new AdminClientException("the answer ends in the middle: the exchange has stopped.");
        }
    }

    /// <summary>Asks for bytes; the caller disposes the answer.</summary>
    public Task<HttpResponseMessage> AskBytesAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = content };
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new AdminClientException($"no exchange answers at {_http.BaseAddress} ({exception.Message}). Is 'ferry cache' running there, and is --admin its admin address?");
        }
        if (response.IsSuccessStatusCode)
        {
            return response;
        }
        using (response)
        {
            var body = await ReadObjectAsync(response, cancellationToken);
            throw new AdminClientException($"{body["error"]?.ToString() ?? $"status {(int)response.StatusCode}"}", body);
        }
    }

    private static async Task<JsonObject> ReadObjectAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new AdminClientException($"the answer ends in the middle: {exception.Message}");
        }
    }

    private static async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new AdminClientException($"the answer ends in the middle: {exception.Message}");
        }
    }

    private static JsonObject Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            throw new AdminClientException("what answers there is no admin port of an exchange.");
        }
    }
}
