using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Forwarding;

namespace Ferry.Router.Routes;

/// <summary>Opens the second leg up to its first byte: until then nothing has gone to the client and another node may take over.</summary>
internal sealed class DecodeStep(RouterState router)
{
    /// <summary>Of an error that is kept for the client in case no other try succeeds.</summary>
    private const int MaxErrorBytes = 64 * 1024;

    /// <summary>Room for the first bytes; most events and many answers fit.</summary>
    private const int FirstBytes = 4096;

    /// <summary>One leg at the chosen node.</summary>
    public Task<DecodeTry> TryAsync(PairWork work, Choice choice, LegBody leg, CancellationToken cancellationToken) =>
        TryAsync(work, choice, (request, token) => router.Sender.PostAsync(choice.Decode!, request, leg, token), cancellationToken);

    /// <summary>One request at the chosen node, sent by whoever knows how.</summary>
    public async Task<DecodeTry> TryAsync(PairWork work, Choice choice, Func<LegRequest, CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        var node = choice.Decode!;
        var span = RouterTracing.StartLeg("decode", node, work.Request);
        var ticket = choice.StartLeg(NodeRole.Decode);
        var idle = new IdleTimer(router.Options.Forwarding.AnswerTimeout, Left(work), router.Clock, cancellationToken);
        HttpResponseMessage? response = null;
        PooledBytes? bytes = null;
        DecodeTry result;
        try
        {
            var sending = send(RouterTracing.Within(span, work.Request), idle.Token);
            ticket.Sent();
            response = await sending;
            var source = await response.Content.ReadAsStreamAsync(idle.Token);
            bytes = new PooledBytes(FirstBytes);
            result = await ReadFirstAsync(node, response, source, bytes, ticket, idle, span);
        }
        catch (Exception exception)
        {
            result = exception switch
            {
                OperationCanceledException when idle.TimedOut => new DecodeTry(null, LegFailure.TimedOut, "did not answer in time"),
                HttpRequestException unreached when LegSender.NeverReached(unreached) => new DecodeTry(null, LegFailure.Unreachable, "cannot be reached"),
                HttpRequestException or IOException => new DecodeTry(null, LegFailure.BrokenOff, "broke off before its answer began"),
                _ => new DecodeTry(null, null, null),
            };
            if (result.Failure is { } failed)
            {
                ticket.Failed(failed);
            }
            RouterTracing.Answered(span, (int?)response?.StatusCode, exception.Message);
            span?.Dispose();
            ticket.Dispose();
            bytes?.Dispose();
            response?.Dispose();
            idle.Dispose();
            if (result.Failure is null)
            {
                throw;
            }
            return result;
        }
        RouterTracing.Answered(span, (int)response.StatusCode, result.Reason);
        if (result.Failure is { } failure)
        {
            ticket.Failed(failure);
        }
        return result;
    }

    private async Task<DecodeTry> ReadFirstAsync(
        Node node, HttpResponseMessage response, Stream source, PooledBytes bytes, LegTicket ticket, IdleTimer idle, System.Diagnostics.Activity? span)
    {
        var status = (int)response.StatusCode;
        var type = ForwardedHeaders.ContentType(response);
        var isStream = type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);
        if (status >= 500)
        {
            var isAll = await BoundedBody.ReadAsync(source, bytes, MaxErrorBytes, idle);
            return new DecodeTry(Answer(isWhole: isAll), LegFailure.ServerError, $"answered {status}");
        }
        if (isStream)
        {
            var read = await source.ReadAsync(bytes.Free, idle.Token);
            bytes.Advance(read);
            if (read == 0)
            {
                throw new IOException("The stream ended before its first event.");
            }
            idle.Reset(router.Options.Forwarding.IdleTimeout);
            return FirstFailure(bytes.Memory.Span) is { } said
                ? new DecodeTry(Answer(isWhole: false), LegFailure.BrokenOff, $"began its stream with an error: {said}")
                : First(new DecodeTry(Answer(isWhole: false), null, null), ticket);
        }
        idle.Reset(router.Options.Forwarding.IdleTimeout);
        var isWhole = await BoundedBody.ReadAsync(source, bytes, router.Options.Forwarding.MaxInspectedAnswerBytes, idle);
        return status == 200 && AnswerFailure.HasFailedChoice(bytes.Memory.Span)
            ? new DecodeTry(Answer(isWhole), LegFailure.BrokenOff, "answered finish_reason \"error\"")
            : First(new DecodeTry(Answer(isWhole), null, null), ticket);

        DecodeAnswer Answer(bool isWhole) => new(node, response, source, bytes, isStream, isWhole, ticket, idle, span);
    }

    private static DecodeTry First(DecodeTry result, LegTicket ticket)
    {
        ticket.FirstByte();
        return result;
    }

    /// <summary>The error in the first events, before anything of them was relayed; null: there is none.</summary>
    private static string? FirstFailure(ReadOnlySpan<byte> bytes)
    {
        var watch = new SseWatch();
        for (var end = bytes.IndexOf((byte)'\n'); end >= 0; end = bytes.IndexOf((byte)'\n'))
        {
            watch.Take(bytes[..end]);
            bytes = bytes[(end + 1)..];
        }
        return watch.Failure;
    }

    private TimeSpan Left(PairWork work)
    {
        var left = router.Clock.GetElapsedTime(router.Clock.GetTimestamp(), work.Deadline);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
