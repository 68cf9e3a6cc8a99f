using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Endpoints that need one node only: they go to a decode node.</summary>
internal sealed class PassThroughRoute(RouterState router, DecodeStep decode)
{
    /// <summary>Nothing else passes: engines have endpoints that sleep, reset or load, and those are no client's business.</summary>
    public static IReadOnlyList<string> Gets { get; } = ["/v1/models", "/version"];

    public static IReadOnlyList<string> Posts { get; } =
        ["/tokenize", "/detokenize", "/v1/embeddings", "/v1/score", "/v1/rerank", "/pooling", "/classify"];

    public async Task GetAsync(HttpContext context)
    {
        var request = LegRequest.Of(context);
        var tried = new List<Node>();
        while (router.Decode.TryChoose(tried) is { } node)
        {
            tried.Add(node);
            try
            {
                using var response = await router.Sender.GetAsync(node, request, context.RequestAborted);
                await RelayAsync(context, request, node, response);
                return;
            }
            catch (HttpRequestException exception) when (!context.Response.HasStarted)
            {
                router.Metrics.NodeFailed(node);
                RouterLog.DecodeFailed(router.Logger, request.RequestId, node.Name, exception.Message);
            }
        }
        throw RouterException.BadGateway($"No decode node can be reached: {string.Join(", ", tried.Select(node => node.Name))}.");
    }

    public async Task PostAsync(HttpContext context)
    {
        var request = LegRequest.Of(context);
        var body = await RequestBody.ReadAsync(context, router.Options.MaxBodyBytes);
        var (node, response) = await decode.OpenAsync(request, DecodeLeg.Build(body, default), context.RequestAborted);
        using (response)
        {
            await RelayAsync(context, request, node, response);
        }
    }

    private static async Task RelayAsync(HttpContext context, LegRequest request, Node node, HttpResponseMessage response)
    {
        context.Response.StatusCode = (int)response.StatusCode;
        ForwardedHeaders.CopyToClient(response, context.Response);
        context.Response.Headers["X-Request-Id"] = request.RequestId;
        context.Response.Headers[RouteHeader.Name] = RouteHeader.Value(null, node.Name, "one node is enough");
        await ResponseRelay.RelayAsync(response, context);
    }
}
