using System.Collections.Concurrent;
using System.Net;
using Ferry.Router.Bodies;

namespace Ferry.Router.Forwarding;

/// <summary>Sends legs over pooled connections. One for the life of the router.</summary>
public sealed class LegSender : IDisposable
{
    /// <summary>Addresses that are kept ready; paths come from a fixed list and nodes from configuration, so this is never reached.</summary>
    private const int MaxAddresses = 65_536;

    private readonly HttpMessageInvoker _http;
    private readonly ConcurrentDictionary<(Uri Node, string Path), Uri> _addresses = new();

    public LegSender(RouterOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.Forwarding.ConnectTimeout,
            // vLLM's server closes idle connections after 5 s (VLLM_HTTP_TIMEOUT_KEEP_ALIVE): ours must be gone before.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
        };
        NodeTls.Apply(options.Forwarding.Tls, handler.SslOptions);
        _http = new HttpMessageInvoker(handler);
    }

    /// <summary>Posts a JSON body; returns when the answer's headers are there. The caller disposes the answer.</summary>
    /// <exception cref="HttpRequestException">The node was not reached, or broke off.</exception>
    internal Task<HttpResponseMessage> PostAsync(Node node, LegRequest request, LegBody body, CancellationToken cancellationToken)
    {
        // Not disposed: neither it nor its content holds anything, and to wait for that would be one more step on the way of each answer.
        var message = new HttpRequestMessage(HttpMethod.Post, At(node, request.Path)) { Content = new LegContent(body) };
        ForwardedHeaders.CopyToNode(request, message);
        return _http.SendAsync(message, cancellationToken);
    }

    /// <summary>Sends on what is not JSON, as it comes in.</summary>
    internal async Task<HttpResponseMessage> StreamAsync(Node node, LegRequest request, HttpMethod method, Stream? body, string? contentType, long? byteCount, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(method, At(node, request.Path));
        if (body is not null)
        {
            message.Content = new StreamContent(body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
            message.Content.Headers.ContentLength = byteCount;
        }
        ForwardedHeaders.CopyToNode(request, message);
        return await _http.SendAsync(message, cancellationToken);
    }

    /// <summary>Answers a small GET of the router's own: health, version.</summary>
    /// <exception cref="HttpRequestException">The node was not reached, or broke off.</exception>
    internal async Task<HttpResponseMessage> ProbeAsync(Node node, string path, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, node.At(path));
        return await _http.SendAsync(message, cancellationToken);
    }

    /// <summary>Whether the node answers its health probe.</summary>
    public async Task<bool> IsHealthyAsync(Node node, TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using var response = await ProbeAsync(node, "/health", both.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Whether the node never saw the request.</summary>
    internal static bool NeverReached(HttpRequestException exception) =>
        exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;

    private Uri At(Node node, string path)
    {
        if (_addresses.TryGetValue((node.Address, path), out var known))
        {
            return known;
        }
        var made = node.At(path);
        if (!path.Contains('?', StringComparison.Ordinal) && _addresses.Count < MaxAddresses)
        {
            _addresses.TryAdd((node.Address, path), made);
        }
        return made;
    }
}
