using System.Buffers.Binary;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.TestKit.Router;

/// <summary>vLLM's ZmqEventPublisher: PUB with numbered batches, and a ROUTER that replays its buffer.</summary>
public sealed class FakeKvPublisher : IDisposable
{
    private static readonly byte[] End = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    private readonly XPublisherSocket _events = new(); // A PUB that is told of subscriptions.
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RouterSocket _replay = new();
    private readonly NetMQPoller _poller = [];
    private readonly List<(long Number, byte[] Payload)> _buffer = [];
    private readonly int _bufferSteps;
    private long _next;

    public FakeKvPublisher(int bufferSteps = 10_000)
    {
        _bufferSteps = bufferSteps;
        Endpoint = $"tcp://127.0.0.1:{_events.BindRandomPort("tcp://127.0.0.1")}";
        ReplayEndpoint = $"tcp://127.0.0.1:{_replay.BindRandomPort("tcp://127.0.0.1")}";
        _replay.ReceiveReady += (_, _) => Replay();
        _events.ReceiveReady += (_, _) => SeeSubscription();
        _poller.Add(_replay);
        _poller.Add(_events);
        _poller.RunAsync();
    }

    public string Endpoint { get; }

    public string ReplayEndpoint { get; }

    /// <summary>Ends when somebody has subscribed: what is published before is heard by nobody.</summary>
    public Task SubscribedAsync() => _subscribed.Task.WaitAsync(TimeSpan.FromMinutes(1));

    /// <summary>Replays that were asked for.</summary>
    public int Replays { get; private set; }

    /// <param name="isLost">It gets its number and is buffered, and no subscriber hears of it.</param>
    public Task PublishAsync(byte[] payload, bool isLost = false) => Task.Factory.StartNew(
        () =>
        {
            var number = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(number, _next);
            _buffer.Add((_next++, payload));
            if (_buffer.Count > _bufferSteps) { _buffer.RemoveAt(0); }
            if (!isLost) { _events.SendMoreFrameEmpty().SendMoreFrame(number).SendFrame(payload); }
        }, CancellationToken.None, TaskCreationOptions.None, _poller);

    public void Dispose()
    {
        _poller.Stop();
        _poller.Dispose();
        _events.Dispose();
        _replay.Dispose();
    }

    private void SeeSubscription()
    {
        if (_events.TryReceiveFrameBytes(out var frame) && frame is [1, ..])
        {
            _subscribed.TrySetResult();
        }
    }

    private void Replay()
    {
        var request = _replay.ReceiveMultipartMessage();
        if (request.FrameCount != 3) { return; }
        Replays++;
        var from = BinaryPrimitives.ReadInt64BigEndian(request[2].ToByteArray());
        foreach (var (number, payload) in _buffer)
        {
            if (number < from) { continue; }
            var bytes = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(bytes, number);
            _replay.SendMoreFrame(request[0].ToByteArray()).SendMoreFrameEmpty().SendMoreFrame(bytes).SendFrame(payload);
        }
        _replay.SendMoreFrame(request[0].ToByteArray()).SendMoreFrameEmpty().SendMoreFrame(End).SendFrameEmpty();
    }
}
