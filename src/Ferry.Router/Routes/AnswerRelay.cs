using System.Buffers;
using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Hands one pair's answer to the client.</summary>
internal sealed class AnswerRelay(RouterState router)
{
    private const string KvHeader = "x-ferry-kv";

    /// <param name="bodyIsDone">Called when nothing more is sent to a node, so that the request's bytes can go.</param>
    public Task RelayAsync(HttpContext context, PairWork work, PairAnswer pair, long arrived, Action bodyIsDone)
    {
        if (pair.Answer is not { } answer)
        {
            return RelayRefusalAsync(context, work, pair.Outcome);
        }
        bodyIsDone();
        return RelayAsync(context, work, pair.Choice, pair.Outcome, answer, arrived);
    }

    public async Task RelayAsync(HttpContext context, PairWork work, Choice choice, PrefillOutcome outcome, DecodeAnswer answer, long arrived)
    {
        var (handedOver, cachedTokens) = (outcome.HandsOver, outcome.Reply?.CachedTokens);
        WriteHead(context, work, choice, outcome, answer);
        outcome.Dispose();   // leg 2 is sent: the reply's bytes are not needed while the answer goes on, maybe for minutes
        var times = new RelayWatch(router.Metrics, router.Clock, arrived);
        var end = answer.IsStream
            ? await new StreamRelay(answer.Source, answer.Bytes, new SseWatch(work.Api != ApiKind.Other), router.Options.Forwarding, answer.Idle, times, handedOver, cachedTokens).RelayAsync(context)
            : await RelayWholeAsync(context, work, choice, answer, times, handedOver, cachedTokens);
        Report(work, choice, answer, end, handedOver);
    }

    private static async Task RelayRefusalAsync(HttpContext context, PairWork work, PrefillOutcome outcome)
    {
        var refusal = outcome.Refusal!;
        context.Response.StatusCode = refusal.Status;
        context.Response.ContentType = refusal.ContentType;
        context.Response.ContentLength = refusal.Body.Length;
        context.Response.Headers[RouteHeader.Name] = RouteHeader.Value(outcome.Node!.Name, "-", "prefill refused the request");
        if (refusal.RetryAfter is { } retryAfter)
        {
            context.Response.Headers.RetryAfter = retryAfter;
        }
        work.Account.Outcome = "refused by prefill";
        await context.Response.Body.WriteAsync(refusal.Body, context.RequestAborted);
    }

    private static void WriteHead(HttpContext context, PairWork work, Choice choice, PrefillOutcome outcome, DecodeAnswer answer)
    {
        var said = RouteHeader.DecodeSays(answer.Response);
        var noHandover = outcome.NoHandoverReason ?? said;
        context.Response.StatusCode = answer.Status;
        ForwardedHeaders.CopyToClient(answer.Response, context.Response);
        context.Response.Headers[RouteHeader.Name] = RouteHeader.Value(outcome.Node?.Name, answer.Node.Name, noHandover);
        context.Response.Headers[KvHeader] = Kv(outcome, noHandover);
        RouteHeader.WritePrefill(context.Response.Headers, outcome);
        work.Account.Handover = RouteHeader.Handover(noHandover);
        if (outcome.HandsOver)
        {
            Prove(choice, answer.Response, said);
        }
    }

    /// <summary><c>x-ferry-kv</c>: none where KV should have been handed over and was not.</summary>
    private static string Kv(PrefillOutcome outcome, string? noHandover) => (noHandover, outcome) switch
    {
        (null, _) => "handed-over",
        (_, { HasFailed: false, IsTransferMissing: false, HandsOver: false }) => "not-needed",
        _ => "none",
    };

    /// <summary>Takes what a Ferry node proves of its fetch.</summary>
    private static void Prove(Choice choice, HttpResponseMessage response, string? refused)
    {
        if (refused is not null)
        {
            choice.TransferFailed(refused);
        }
        else if (RouteHeader.Number(response, "x-ferry-kv-tokens") is > 0 and var tokens)
        {
            choice.KvMoved(tokens, RouteHeader.Number(response, "x-ferry-kv-bytes-moved") ?? 0);
        }
    }

    private static async Task<StreamEnd> RelayWholeAsync(HttpContext context, PairWork work, Choice choice, DecodeAnswer answer, RelayWatch times, bool handedOver, int? cachedTokens)
    {
        var client = context.Response.BodyWriter;
        if (answer.IsWhole && answer.Status == 200)
        {
            var said = NodeReply.Read(answer.Bytes.Memory);
            TakeUsage(work, choice, answer, said, handedOver);
            if (said.Body is not null && AnswerEdit.Mend(said.Body, handedOver, cachedTokens) is { } mended)
            {
                context.Response.ContentLength = mended.ByteCount;
                foreach (var part in mended.Parts)
                {
                    client.Write(part.Span);
                }
                return await FlushAsync(context, answer, times) ?? new StreamEnd(null, false, mended.ByteCount);
            }
        }
        if (answer.IsWhole)
        {
            context.Response.ContentLength = answer.Bytes.ByteCount;
        }
        client.Write(answer.Bytes.Memory.Span);
        if (await FlushAsync(context, answer, times) is { } stalled)
        {
            return stalled;
        }
        return answer.IsWhole ? new StreamEnd(null, false, answer.Bytes.ByteCount) : await RelayRestAsync(context, answer);
    }

    /// <summary>The rest of an answer that is too long to look into.</summary>
    private static async Task<StreamEnd> RelayRestAsync(HttpContext context, DecodeAnswer answer)
    {
        long relayed = answer.Bytes.ByteCount;
        try
        {
            while (true)
            {
                answer.Bytes.Consume(answer.Bytes.ByteCount);
                var read = await answer.Source.ReadAsync(answer.Bytes.Free, answer.Idle.Token);
                if (read == 0)
                {
                    return new StreamEnd(null, false, relayed);
                }
                answer.Bytes.Advance(read);
                relayed += read;
                await context.Response.BodyWriter.WriteAsync(answer.Bytes.Memory, answer.Idle.Token);
                answer.Idle.Reset();
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException || (exception is OperationCanceledException && answer.Idle.TimedOut))
        {
            context.Abort();   // half an answer must not pass for a whole one
            return new StreamEnd(exception.Message, true, relayed);
        }
    }

    /// <returns>Null, or the end: the client took nothing for as long as a pause may last.</returns>
    private static async ValueTask<StreamEnd?> FlushAsync(HttpContext context, DecodeAnswer answer, RelayWatch times)
    {
        try
        {
            answer.Idle.Reset();
            await context.Response.BodyWriter.FlushAsync(answer.Idle.Token);
            times.Output(1);
            return null;
        }
        catch (OperationCanceledException) when (answer.Idle.TimedOut)
        {
            context.Abort();
            return new StreamEnd("the client does not read", NodeFailed: false, 0);
        }
    }

    private static void TakeUsage(PairWork work, Choice choice, DecodeAnswer answer, NodeReply said, bool handedOver)
    {
        work.Account.PromptTokens ??= said.PromptTokens;
        work.Account.OutputTokens = said.CompletionTokens;
        if (!handedOver)
        {
            work.Account.CachedTokens ??= said.CachedTokens;
        }
        else if (said.CachedTokens - choice.DecodeHitTokens is > 0 and var moved && !answer.Response.Headers.NonValidated.Contains("x-ferry-kv-tokens"))
        {
            choice.KvMoved(moved, 0);   // vLLM counts fetched tokens as cached: what it had not is what came
        }
        answer.Ticket.Finished(said.PromptTokens, handedOver ? null : said.CachedTokens, said.CompletionTokens);
    }

    private void Report(PairWork work, Choice choice, DecodeAnswer answer, StreamEnd end, bool handedOver)
    {
        if (end.DataEvents is { } events)
        {
            work.Account.OutputTokens = events;
        }
        if (!end.NodeFailed)
        {
            work.Account.Outcome = end.Failure ?? work.Account.Outcome;
            answer.Ticket.Finished(null, null, end.DataEvents);
            return;
        }
        answer.Ticket.Failed(answer.Idle.TimedOut ? LegFailure.TimedOut : LegFailure.BrokenOff);
        if (handedOver && answer.IsStream && end.DataEvents is 0)
        {
            choice.TransferFailed(end.Failure!);
        }
        work.Account.Outcome = "decode broke off";
        RouterLog.DecodeFailed(router.Logger, work.Request.RequestId, answer.Node.Name, end.Failure!);
    }
}
