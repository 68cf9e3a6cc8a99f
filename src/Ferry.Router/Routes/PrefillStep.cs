using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Connectors;
using Ferry.Router.Forwarding;

namespace Ferry.Router.Routes;

/// <summary>Runs the first leg: another node when one fails.</summary>
internal sealed class PrefillStep(RouterState router)
{
    /// <summary>The node did its work and lends nothing: it has no connector, or the request ended in another way than by length.</summary>
    private const string NoParameters = "prefill returned no kv_transfer_params";

    /// <summary>Room for the reply; a long prompt's block ids need more.</summary>
    private const int FirstBytes = 4096;

    private readonly IConnectorProfile? _configured = ConnectorProfiles.Find(router.Options.Forwarding.Connector);

    /// <summary>Tries prefill nodes, the chosen one first, until one does the leg, refuses it, or none is left.</summary>
    public async Task<PrefillOutcome> RunAsync(PairWork work, Choice choice, CancellationToken cancellationToken)
    {
        var started = router.Clock.GetTimestamp();
        var outcome = PrefillOutcome.Failed(null, choice.SkipReason ?? "no prefill node");
        for (var attempt = 0; attempt < router.Options.Forwarding.PrefillAttempts && choice.Prefill is not null; attempt++)
        {
            work.Account.Retries += attempt > 0 ? 1 : 0;
            outcome = await TryAsync(work, choice, cancellationToken);
            if (!outcome.HasFailed)
            {
                break;
            }
            RouterLog.PrefillFailed(router.Logger, work.Request.RequestId, outcome.Node!.Name, outcome.NoHandoverReason!);
            choice.NextPrefill();
        }
        outcome.Elapsed = router.Clock.GetElapsedTime(started);
        work.Account.PrefillTime += outcome.Elapsed;
        work.Account.Prefill = outcome.Node?.Name ?? "-";
        return outcome;
    }

    /// <summary>One leg at the chosen node.</summary>
    public async Task<PrefillOutcome> TryAsync(PairWork work, Choice choice, CancellationToken cancellationToken)
    {
        var node = choice.Prefill!;
        var options = router.Options.Forwarding;
        using var span = RouterTracing.StartLeg("prefill", node, work.Request);
        using var ticket = choice.StartLeg(NodeRole.Prefill);
        using var idle = new IdleTimer(options.PrefillTimeout, Left(work), router.Clock, cancellationToken);
        var bytes = new PooledBytes(FirstBytes);
        PrefillOutcome? outcome = null;
        try
        {
            var leg = PrefillLeg.Build(work.Body, work.Api, WishFor(node, choice.Decode), work.Prompt, work.PromptAnswer);
            var posting = router.Sender.PostAsync(node, RouterTracing.Within(span, work.Request), leg, idle.Token);
            ticket.Sent();
            using var response = await posting;
            await using var stream = await response.Content.ReadAsStreamAsync(idle.Token);
            // No reset of the timer here: a prefill leg has one limit, from sent to read.
            var isWhole = await ReadAllAsync(stream, bytes, options.MaxPrefillReplyBytes, idle.Token);
            outcome = isWhole
                ? Judge(work, node, ticket, response, bytes)
                : Fail(ticket, node, LegFailure.BadAnswer, $"prefill reply longer than {options.MaxPrefillReplyBytes} bytes");
        }
        catch (OperationCanceledException) when (idle.TimedOut)
        {
            outcome = Fail(ticket, node, LegFailure.TimedOut, "prefill timed out");
        }
        catch (HttpRequestException exception) when (LegSender.NeverReached(exception))
        {
            outcome = Fail(ticket, node, LegFailure.Unreachable, "prefill unreachable");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            outcome = Fail(ticket, node, LegFailure.BrokenOff, "prefill broke off");
        }
        finally
        {
            RouterTracing.Answered(span, outcome?.Refusal?.Status ?? (outcome?.Reply is null ? null : 200), outcome is null ? "client gone" : outcome.NoHandoverReason);
            if (outcome?.Reply is null && outcome?.Refusal is null)
            {
                bytes.Dispose();
            }
        }
        return outcome;
    }

    /// <summary>Between Ferry nodes it names the decode node, where that takes pushes.</summary>
    private ReadOnlyMemory<byte> WishFor(Node node, Node? decode)
    {
        var wish = _configured?.Wish ?? NixlWish.Bytes;
        return _configured is null or FerryProfile && decode is not null && router.Versions.Of(node)?.IsFerry == true && router.Versions.Of(decode)?.PushTo is { } target
            ? target.AddTo(wish)
            : wish;
    }

    private PrefillOutcome Judge(PairWork work, Node node, LegTicket ticket, HttpResponseMessage response, PooledBytes bytes)
    {
        var status = (int)response.StatusCode;
        if (status is >= 400 and < 500)
        {
            ticket.Finished(null, null, null);
            var retryAfter = response.Headers.NonValidated.TryGetValues("Retry-After", out var values) ? values.ToString() : null;
            var type = ForwardedHeaders.ContentType(response);
            return PrefillOutcome.Refused(node, new PrefillRefusal(status, type.Length > 0 ? type : "application/json", bytes.Memory, retryAfter), bytes);
        }
        if (status != 200)
        {
            return Fail(ticket, node, LegFailure.ServerError, $"prefill answered {status}");
        }
        var reply = NodeReply.Read(bytes.Memory);
        if (reply.Body is null)
        {
            return Fail(ticket, node, LegFailure.BadAnswer, "prefill answered no JSON object");
        }
        if (AnswerFailure.HasFailedChoice(reply.Body.Value("choices"u8).Span) || reply.Body.Asks("error"u8))
        {
            return Fail(ticket, node, LegFailure.BrokenOff, "prefill ended as error");
        }
        work.Account.PromptTokens = reply.PromptTokens;
        work.Account.CachedTokens = reply.CachedTokens;
        return Connect(node, ticket, reply, bytes);
    }

    /// <summary>What the reply's connector makes of it.</summary>
    private PrefillOutcome Connect(Node node, LegTicket ticket, NodeReply reply, PooledBytes bytes)
    {
        var leaseEnd = router.Clock.GetTimestamp() + (long)(router.Options.LeaseTime.TotalSeconds * router.Clock.TimestampFrequency);
        if (_configured is { NeedsParams: false } byContent)
        {
            ticket.Finished(reply.PromptTokens, reply.CachedTokens, 1);
            return PrefillOutcome.Done(node, reply, bytes, default, byContent.Name, long.MaxValue);
        }
        var parameters = reply.TransferParams.IsEmpty ? null : JsonBody.TryParse(reply.TransferParams);
        var version = router.Versions.Of(node);
        var profile = parameters is null ? null : _configured ?? ConnectorProfiles.Detect(parameters, version);
        var missing = parameters is null ? NoParameters : profile!.WhyUnusable(parameters, version);
        ticket.Finished(reply.PromptTokens, reply.CachedTokens, 1, holdsKv: parameters is not null);
        if (missing is not null)
        {
            return PrefillOutcome.Missing(node, reply, bytes, missing);
        }
        return PrefillOutcome.Done(node, reply, bytes, RemoteHost.Reachable(parameters!, node.Address), profile!.Name, Math.Min(leaseEnd, Expiry(parameters!)));
    }

    /// <summary>When the node itself says that it lets go (Ferry does; vLLM's is null unless blocks go back to it).</summary>
    private long Expiry(JsonBody parameters)
    {
        if (!System.Buffers.Text.Utf8Parser.TryParse(parameters.Value("remote_blocks_expiry_time"u8).Span, out double unixSeconds, out var consumed) || consumed == 0)
        {
            return long.MaxValue;
        }
        var left = unixSeconds - (router.Clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        // A clock that is off by hours says nothing of the lease; the configured length holds then.
        return left is > 0 and < 86_400 ? router.Clock.GetTimestamp() + (long)(left * router.Clock.TimestampFrequency) : long.MaxValue;
    }

    private static PrefillOutcome Fail(LegTicket ticket, Node node, LegFailure failure, string reason)
    {
        ticket.Failed(failure);
        return PrefillOutcome.Failed(node, reason);
    }

    private TimeSpan Left(PairWork work)
    {
        var left = router.Clock.GetElapsedTime(router.Clock.GetTimestamp(), work.Deadline);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private static async ValueTask<bool> ReadAllAsync(Stream stream, PooledBytes bytes, int maxBytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (bytes.Free.IsEmpty)
            {
                bytes.Grow(bytes.ByteCount + 1);
            }
            var read = await stream.ReadAsync(bytes.Free, cancellationToken);
            if (read == 0)
            {
                return true;
            }
            bytes.Advance(read);
            if (bytes.ByteCount > maxBytes)
            {
                return false;
            }
        }
    }
}
