using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Endpoints that need one node only: they go to a decode node.</summary>
internal sealed class PassThroughRoute(RouterState router, DecodeStep decode)
{
    private const string OneIsEnough = "one node is enough";

    private readonly AnswerRelay _relay = new(router);
    private readonly RequestIds _ids = new();

    /// <summary>Nothing else passes: engines have endpoints that sleep, reset or load, and those are no client's business.</summary>
    public static IReadOnlyList<string> Gets { get; } = [RouterPaths.Models, RouterPaths.Models + "/{model}", RouterPaths.Version];

    public static IReadOnlyList<string> Posts { get; } =
    [
        "/tokenize", "/detokenize", "/v1/embeddings", "/score", "/v1/score", "/rerank", "/v1/rerank", "/v2/rerank", "/pooling", "/classify", "/v1/messages", "/v1/messages/count_tokens",
        "/v1/audio/transcriptions", "/v1/audio/translations",
    ];

    public Task GetAsync(HttpContext context) => RunAsync(context, default, (node, request, token) => router.Sender.StreamAsync(node, request, HttpMethod.Get, null, null, null, token), mayRepeat: true);

    public async Task PostAsync(HttpContext context)
    {
        if (!RequestBytes.IsJson(context.Request.ContentType))
        {
            await UploadAsync(context);
            return;
        }
        using var bytes = await RequestBytes.ReadAsync(context, router.Options.MaxBodyBytes);
        var body = JsonBody.Parse(bytes.Memory);
        var edit = new JsonEdit(body).Drop(BodyNames.Internal);
        ClientArguments.Clean(body, edit);
        var leg = edit.Build();
        var prompt = body.Value("prompt"u8);
        await RunAsync(context, prompt.IsEmpty ? body.Value("input"u8) : prompt, (node, request, token) => router.Sender.PostAsync(node, request, leg, token), mayRepeat: true);
    }

    /// <summary>Audio and other uploads go on as they come in, so only a node that was never reached can be replaced, and only before the first byte.</summary>
    private Task UploadAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) != true)
        {
            throw RouterException.BadRequest($"Unsupported Media Type: Only 'application/json' and 'multipart/form-data' are allowed, not '{context.Request.ContentType ?? ""}'.");
        }
        return RunAsync(
            context, default, (node, request, token) => router.Sender.StreamAsync(node, request, HttpMethod.Post, context.Request.Body, context.Request.ContentType, context.Request.ContentLength, token), mayRepeat: false);
    }

    private async Task RunAsync(HttpContext context, ReadOnlyMemory<byte> prompt, Func<Node, LegRequest, CancellationToken, Task<HttpResponseMessage>> send, bool mayRepeat)
    {
        var arrived = router.Clock.GetTimestamp();
        var account = RequestAccount.Of(context);
        account.RequestId = _ids.Next(context, out var clientId);
        context.Response.Headers[RequestIds.Header] = clientId;
        var request = new LegRequest(account.RequestId, context.Request.Path + context.Request.QueryString, context.Request.Headers, !account.Tenant.IsAuthenticated);
        var facts = new ChoiceFacts { Prompt = prompt, Tenant = account.Tenant, DecodeOnlyReason = OneIsEnough };
        var work = new PairWork(
            request, JsonBody.Empty, ApiKind.Other, default, PromptAnswer.None, null, facts, account,
            arrived + (long)(router.Options.Forwarding.RequestTimeout.TotalSeconds * router.Clock.TimestampFrequency));
        using var choice = router.Chooser.Choose(facts);
        var tried = new List<string>();
        while (choice.Decode is { } node)
        {
            tried.Add(node.Name);
            account.Decode = node.Name;
            var result = await decode.TryAsync(work, choice, (leg, token) => send(node, leg, token), context.RequestAborted);
            if (result.Failure is null || (result.Answer is not null && !mayRepeat))
            {
                using var answer = result.Answer!;
                await _relay.RelayAsync(context, work, choice, PrefillOutcome.Skipped(OneIsEnough), answer, arrived);
                return;
            }
            RouterLog.DecodeFailed(router.Logger, request.RequestId, node.Name, result.Reason!);
            result.Answer?.Dispose();
            account.Retries++;
            if ((!mayRepeat && result.MayHaveFetched) || tried.Count >= router.Options.Forwarding.DecodeAttempts || choice.NextDecode() is null)
            {
                break;
            }
        }
        throw tried.Count == 0
            ? RouterException.Unavailable("No decode node takes requests now.", TimeSpan.FromSeconds(1))
            : RouterException.BadGateway($"No decode node answered: {string.Join(", ", tried)}.");
    }
}
