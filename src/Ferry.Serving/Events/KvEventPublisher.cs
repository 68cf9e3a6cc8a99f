using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.Serving.Events;

/// <summary>Publishes KV events over ZMQ as vLLM does: numbered batches on a PUB socket, and a ROUTER socket that repeats what somebody missed. One thread of its own.</summary>
internal sealed class KvEventPublisher : IDisposable
{
    private const int EventsABatch = 512;
    private const long BufferedBytesMax = 64 << 20;
    private static readonly byte[] EndOfReplay = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    private readonly KvEventBook _book;
    private readonly KvEventsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PublisherSocket _events = new();
    private readonly RouterSocket? _replay;
    private readonly NetMQQueue<bool> _wake = new();
    private readonly NetMQPoller _poller;
    private readonly Queue<(long Number, byte[] Payload)> _buffer = new();
    private long _bufferedBytes;
    private long _next;
    private bool _isDisposed;

    private KvEventPublisher(KvEventBook book, KvEventsOptions options, TimeProvider time, ILogger logger)
    {
        (_book, _options, _time, _logger) = (book, options, time, logger);
        _events.Options.SendHighWatermark = options.HighWater;
        _events.Options.Linger = TimeSpan.Zero;
        _replay = options.ReplayEndpoint is null ? null : new RouterSocket();
        if (_replay is not null)
        {
            _replay.Options.Linger = TimeSpan.Zero;
            _replay.Options.MaxMsgSize = 1024; // A question is a number.
            _replay.ReceiveReady += (_, _) => Repeat();
        }
        _wake.ReceiveReady += (_, _) => PublishAll();
        _poller = _replay is null ? [_wake] : [_wake, _replay];
    }

    /// <summary>Batches published.</summary>
    public long Published => Volatile.Read(ref _next);

    /// <exception cref="IOException">An endpoint is taken or unknown.</exception>
    public static KvEventPublisher Start(KvEventBook book, KvEventsOptions options, TimeProvider time, ILogger logger)
    {
        var publisher = new KvEventPublisher(book, options, time, logger);
        try
        {
            Bind(publisher._events, options.Endpoint, "endpoint");
            if (publisher._replay is { } replay)
            {
                Bind(replay, options.ReplayEndpoint!, "replay_endpoint");
            }
            publisher.Publish([new KvEvent(KvEventKind.Cleared, default, null, [], "")]); // Batch 0: whoever believed in this node's last life does so no more.
            book.Arrived = () => publisher._wake.Enqueue(true);
            publisher._poller.RunAsync("ferry kv events", isBackgroundThread: true);
            return publisher;
        }
        catch
        {
            publisher.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }
        _isDisposed = true;
        _book.Arrived = null;
        if (_poller.IsRunning)
        {
            _poller.Stop();
        }
        _poller.Dispose();
        _wake.Dispose();
        _events.Dispose();
        _replay?.Dispose();
    }

    private static void Bind(NetMQSocket socket, string endpoint, string name)
    {
        try
        {
            socket.Bind(endpoint);
        }
        catch (Exception exception) when (exception is NetMQException or ArgumentException or System.Net.Sockets.SocketException or FormatException)
        {
            throw new IOException($"--kv-events-config: {name} {endpoint} cannot be listened on: {exception.Message} Another process may have the port.", exception);
        }
    }

    private void PublishAll()
    {
        while (_wake.TryDequeue(out _, TimeSpan.Zero))
        {
            // One look at the book serves all that woke us.
        }
        while (_book.Take(EventsABatch) is { Count: > 0 } events)
        {
            Publish(events);
        }
    }

    private void Publish(IReadOnlyList<KvEvent> events)
    {
        var payload = KvEventWriter.Write(_time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0, events);
        var number = _next;
        Volatile.Write(ref _next, number + 1);
        _buffer.Enqueue((number, payload));
        _bufferedBytes += payload.Length;
        while (_buffer.Count > _options.BufferSteps || (_bufferedBytes > BufferedBytesMax && _buffer.Count > 1))
        {
            _bufferedBytes -= _buffer.Dequeue().Payload.Length;
        }
        _events.SendMoreFrame(_options.Topic).SendMoreFrame(BytesOf(number)).SendFrame(payload); // PUB drops for who is slow and never waits.
    }

    /// <summary>Answers one question: an empty frame and the first number wanted.</summary>
    private void Repeat()
    {
        NetMQMessage? question = null;
        if (!_replay!.TryReceiveMultipartMessage(ref question, 3) || question is not { FrameCount: 3 } || question[2].MessageSize != sizeof(long))
        {
            KvEventLog.OddQuestion(_logger);
            return;
        }
        var asker = question[0].ToByteArray();
        var from = BinaryPrimitives.ReadInt64BigEndian(question[2].ToByteArray());
        foreach (var (number, payload) in _buffer)
        {
            if (number >= from && !TryAnswer(asker, BytesOf(number), payload))
            {
                return; // Its queue is full: it has its patience, and asks again.
            }
        }
        TryAnswer(asker, EndOfReplay, []);
    }

    private bool TryAnswer(byte[] asker, byte[] number, byte[] payload)
    {
        var message = new NetMQMessage(4);
        message.Append(asker);
        message.AppendEmptyFrame();
        message.Append(number);
        message.Append(payload);
        return _replay!.TrySendMultipartMessage(message);
    }

    private static byte[] BytesOf(long number)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }
}
