using Ferry.Router.Forwarding;

namespace Ferry.Router.Routes;

/// <summary>Opens the second leg.</summary>
internal sealed class DecodeStep(RouterState router)
{
    /// <summary>The node and its answer, headers read; the caller disposes it.</summary>
    /// <remarks>
    /// Another node is tried only when the first was never reached: once a decode node has seen the parameters it may have fetched the KV
    /// and told the prefill node to let go.
    /// </remarks>
    /// <exception cref="RouterException">502: no decode node answered.</exception>
    public async Task<(Node Node, HttpResponseMessage Response)> OpenAsync(LegRequest request, byte[] body, CancellationToken cancellationToken)
    {
        var tried = new List<Node>();
        while (router.Decode.TryChoose(tried) is { } node)
        {
            tried.Add(node);
            try
            {
                return (node, await router.Sender.PostAsync(node, request, body, cancellationToken));
            }
            catch (HttpRequestException exception)
            {
                router.Metrics.NodeFailed(node);
                RouterLog.DecodeFailed(router.Logger, request.RequestId, node.Name, exception.Message);
                if (exception.HttpRequestError is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError))
                {
                    throw RouterException.BadGateway($"The decode node {node.Name} broke off before its answer began.");
                }
            }
        }
        throw RouterException.BadGateway($"No decode node can be reached: {string.Join(", ", tried.Select(node => node.Name))}.");
    }
}
