using System.Net;
using System.Net.Http.Headers;

namespace Ferry.Router.Forwarding;

/// <summary>Sends legs over pooled connections. One for the life of the router.</summary>
public sealed class LegSender : IDisposable
{
    private readonly HttpMessageInvoker _http;

    public LegSender(RouterOptions options)
    {
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            // vLLM's server closes idle connections after 5 s (VLLM_HTTP_TIMEOUT_KEEP_ALIVE): ours must be gone before.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
        });
    }

    /// <summary>Posts a JSON body; returns when the answer's headers are there. The caller disposes the answer.</summary>
    /// <exception cref="HttpRequestException">The node was not reached, or broke off.</exception>
    public async Task<HttpResponseMessage> PostAsync(Node node, LegRequest request, byte[] body, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, node.At(request.Path)) { Content = new ByteArrayContent(body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        ForwardedHeaders.CopyToNode(request, message);
        return await _http.SendAsync(message, cancellationToken);
    }

    public async Task<HttpResponseMessage> GetAsync(Node node, LegRequest request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, node.At(request.Path));
        ForwardedHeaders.CopyToNode(request, message);
        return await _http.SendAsync(message, cancellationToken);
    }

    /// <summary>Whether the node answers its health probe.</summary>
    public async Task<bool> IsHealthyAsync(Node node, TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, node.At("/health"));
            using var response = await _http.SendAsync(message, both.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    public void Dispose() => _http.Dispose();
}
