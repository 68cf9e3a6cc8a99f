using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.Router.Prefixes.Events;

/// <summary>One node's KV events over ZMQ: PUB for the stream, ROUTER for what was missed. Lives on the poller's thread.</summary>
internal sealed class KvEventFollower : IDisposable
{
    private const int MaxHeldBatches = 10_000;     // vLLM's own buffer_steps
    private const int MaxMessageBytes = 64 << 20;
    private const int BatchesATurn = 64;           // then other nodes have their turn
    private const int ReceiveHighWater = 100_000;  // vLLM's hwm
    private static readonly TimeSpan ReplayPatience = TimeSpan.FromSeconds(3);
    private static ReadOnlySpan<byte> EndOfReplay => [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    private readonly Node _node;
    private readonly KvEventReader _reader;
    private readonly KvEventSink _sink;
    private readonly ILogger _logger;
    private readonly SubscriberSocket _events;
    private readonly DealerSocket? _replay;
    private readonly NetMQTimer _patience = new(ReplayPatience) { Enable = false };
    private readonly KvEventSequence _sequence;
    private NetMQMessage? _message = new();
    private bool _saidUnreadable;

    public KvEventFollower(Node node, string endpoint, string? replayEndpoint, string topic, KvEventReader reader, KvEventSink sink, ILogger logger)
    {
        (_node, _reader, _sink, _logger) = (node, reader, sink, logger);
        _events = new SubscriberSocket();
        _events.Options.ReceiveHighWatermark = ReceiveHighWater;
        _events.Options.MaxMsgSize = MaxMessageBytes;
        _events.Options.Linger = TimeSpan.Zero;
        _events.Connect(endpoint);
        _events.Subscribe(topic);
        _events.ReceiveReady += (_, _) => OnEvents();
        if (replayEndpoint is not null)
        {
            _replay = new DealerSocket();
            _replay.Options.MaxMsgSize = MaxMessageBytes;
            _replay.Options.Linger = TimeSpan.Zero;
            _replay.Connect(replayEndpoint);
            _replay.ReceiveReady += (_, _) => OnReplay();
        }
        _patience.Elapsed += (_, _) => EndReplay();
        _sequence = new KvEventSequence(Apply, Forget, _replay is null ? null : AskReplay, MaxHeldBatches);
    }

    public bool IsReplaying => _sequence.IsReplaying;

    public long Gaps => _sequence.Gaps;

    public long? Next => _sequence.Next;

    public void AddTo(NetMQPoller poller)
    {
        poller.Add(_events);
        poller.Add(_patience);
        if (_replay is not null) { poller.Add(_replay); }
        _sequence.Start();
    }

    public void RemoveFrom(NetMQPoller poller)
    {
        poller.Remove(_events);
        poller.Remove(_patience);
        if (_replay is not null) { poller.Remove(_replay); }
    }

    /// <summary>The node was down.</summary>
    public void Reset()
    {
        _sequence.Reset();
        _node.HasEvents = _sequence.IsFollowing;
    }

    public void Dispose()
    {
        _node.HasEvents = false;
        _events.Dispose();
        _replay?.Dispose();
    }

    private void OnEvents()
    {
        for (var turn = 0; turn < BatchesATurn && _events.TryReceiveMultipartMessage(ref _message, 3); turn++)
        {
            // topic, number, payload
            if (_message is { FrameCount: 3 } && _message[1].MessageSize == sizeof(long)) { _sequence.Live(NumberOf(_message[1]), _message[2].ToByteArray()); }
        }
        _node.HasEvents = _sequence.IsFollowing;
    }

    private void OnReplay()
    {
        for (var turn = 0; turn < BatchesATurn && _replay!.TryReceiveMultipartMessage(ref _message, 3); turn++)
        {
            // an empty delimiter, number, payload
            if (_message is not { FrameCount: 3 } || _message[1].MessageSize != sizeof(long)) { continue; }
            if (_message[1].Buffer.AsSpan(0, sizeof(long)).SequenceEqual(EndOfReplay))
            {
                EndReplay();
                continue;
            }
            _patience.EnableAndReset();   // it comes, so there is patience
            _sequence.Replayed(NumberOf(_message[1]), _message[2].ToByteArray());
        }
    }

    private void EndReplay()
    {
        _patience.Enable = false;
        _sequence.ReplayEnded();
        _node.HasEvents = _sequence.IsFollowing;
    }

    private void AskReplay(long from)
    {
        var number = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, from);
        // A publisher that is not there gets nothing and answers nothing: patience ends that.
        _replay!.TrySendFrame([], more: true);
        _replay!.TrySendFrame(number);
        _patience.EnableAndReset();
    }

    private void Apply(ReadOnlyMemory<byte> payload)
    {
        if (_reader.TryApply(_node.Slot, payload) is not { } wrong) { return; }
        // Whatever else it said is unknown.
        Forget();
        if (!_saidUnreadable)
        {
            _saidUnreadable = true;
            KvEventLog.Unreadable(_logger, _node.Name, wrong);
        }
    }

    private void Forget()
    {
        _sink.Cleared(_node.Slot);
        if (_sequence.Next is not null) { KvEventLog.Forgot(_logger, _node.Name); }
    }

    private static long NumberOf(NetMQFrame frame) => BinaryPrimitives.ReadInt64BigEndian(frame.Buffer.AsSpan(0, sizeof(long)));
}
