using System.Buffers;
using System.IO.Pipelines;
using Ferry.Router.Bodies;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Forwarding;

/// <summary>Hands an event stream on line by line: bytes as they are but for what the decode node says of cached tokens, flushed as they come.</summary>
/// <param name="held">Bytes that were read already.</param>
/// <param name="handedOver">Whether usage is to be mended; see <see cref="AnswerEdit"/>.</param>
internal sealed class StreamRelay(Stream source, PooledBytes held, SseWatch events, ForwardingOptions options, IdleTimer idle, RelayWatch times, bool handedOver, int? prefillCachedTokens)
{
    private long _relayed;
    private bool _inLongLine;

    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<StreamEnd> RelayAsync(HttpContext context)
    {
        var client = context.Response.BodyWriter;
        while (true)
        {
            var before = _relayed;
            WriteLines(client);
            if (_relayed > before && !await TryFlushAsync(client))
            {
                context.Abort();   // nothing more can be said to a client that does not read
                return new StreamEnd("the client does not read", NodeFailed: false, _relayed) { DataEvents = events.DataEvents };
            }
            string? broken = null;
            try
            {
                held.Grow(held.ByteCount + 1024);
                var read = await source.ReadAsync(held.Free, idle.Token);
                if (read > 0)
                {
                    held.Advance(read);
                    continue;
                }
                broken = events.HasEnded || events.Failure is not null ? null : "the stream ended without [DONE]";
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException || (exception is OperationCanceledException && idle.TimedOut))
            {
                broken = exception is OperationCanceledException ? "no byte came in time" : exception.Message;
            }
            return await EndAsync(client, broken, context.RequestAborted);
        }
    }

    /// <returns>False: the client took nothing for as long as a pause may last.</returns>
    private async ValueTask<bool> TryFlushAsync(PipeWriter client)
    {
        try
        {
            await client.FlushAsync(idle.Token);
            idle.Reset();
            return true;
        }
        catch (OperationCanceledException) when (idle.TimedOut)
        {
            return false;
        }
    }

    private async Task<StreamEnd> EndAsync(PipeWriter client, string? broken, CancellationToken cancellationToken)
    {
        times.Done();
        if (broken is null)
        {
            client.Write(held.Memory.Span);   // an end without a line end is the node's own way
            _relayed += held.ByteCount;
        }
        else
        {
            // A half line that was held back never reaches the client: the error stands in its place.
            client.Write(RouterError.Event($"The decode node broke off: {broken}", events.IsAtEventEnd && !_inLongLine));
        }
        await client.FlushAsync(cancellationToken);
        return new StreamEnd(broken ?? events.Failure, broken is not null || events.Failure is not null, _relayed) { DataEvents = events.DataEvents };
    }

    /// <summary>Writes all whole lines that are there, and keeps the rest.</summary>
    private void WriteLines(PipeWriter client)
    {
        var bytes = held.Memory.Span;
        var whole = bytes.LastIndexOf((byte)'\n') + 1;
        if (whole == 0)
        {
            if (bytes.Length > options.MaxEventBytes || (_inLongLine && bytes.Length > 0))
            {
                _inLongLine = true;
                Pass(client, bytes);
                held.Consume(bytes.Length);
            }
            return;
        }
        var before = events.DataEvents;
        var (run, at) = (0, 0);
        while (at < whole)
        {
            var length = bytes[at..whole].IndexOf((byte)'\n');
            // The rest of a line that was too long to look into is looked into no more.
            var usage = _inLongLine ? default : events.Take(bytes.Slice(at, length));
            _inLongLine = false;
            bytes[at..].Overlaps(usage, out var dataStart);
            if (!usage.IsEmpty && AnswerEdit.Mend(held.Memory.Slice(at + dataStart, usage.Length), handedOver, prefillCachedTokens) is { } mended)
            {
                Pass(client, bytes[run..(at + dataStart)]);
                foreach (var part in mended.Parts)
                {
                    Pass(client, part.Span);
                }
                run = at + dataStart + usage.Length;
            }
            at += length + 1;
        }
        Pass(client, bytes[run..whole]);
        held.Consume(whole);
        if (events.DataEvents > before)
        {
            times.Output(events.DataEvents - before);
        }
    }

    private void Pass(PipeWriter client, ReadOnlySpan<byte> bytes)
    {
        client.Write(bytes);
        _relayed += bytes.Length;
    }
}
