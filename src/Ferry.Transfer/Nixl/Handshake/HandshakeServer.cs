using System.Buffers.Binary;
using System.Globalization;
using MessagePack;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>Answers the handshakes of vLLM's decode workers: a ROUTER that has every worker's metadata of one engine.</summary>
/// <remarks>
/// Where vLLM's own listener dies of a rank that is not there, this one answers with the reason, so that the asker fails at once.
/// A socket belongs to one thread: the loop has one of its own.
/// </remarks>
public sealed class HandshakeServer : IAsyncDisposable
{
    // A question has 17 bytes; a longer frame ends the connection.
    private const int QuestionBytesMax = 4096;

    // Identity, delimiter, question: what has more parts is none.
    private const int QuestionFrames = 3;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly HandshakeOptions _options;
    private readonly Dictionary<(int Pipeline, int Tensor), byte[]> _answers;
    private readonly CancellationTokenSource _stopping = new();
    private readonly RouterSocket _socket;
    private readonly Task _serving;

    private HandshakeServer(HandshakeOptions options, Dictionary<(int, int), byte[]> answers, RouterSocket socket, string endpoint)
    {
        _options = options;
        _answers = answers;
        _socket = socket;
        Endpoint = endpoint;
        _serving = Task.Factory.StartNew(Serve, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Where it listens: <c>tcp://host:port</c>.</summary>
    public string Endpoint { get; }

    /// <summary>Binds, and answers from now on.</summary>
    /// <param name="workers">Metadata by pipeline and tensor rank.</param>
    /// <param name="compatibilityHash">Told before the metadata.</param>
    /// <exception cref="TransferConfigurationException">The options contradict themselves or this machine.</exception>
    public static HandshakeServer Start(
        HandshakeOptions options, string compatibilityHash, IReadOnlyDictionary<(int Pipeline, int Tensor), VllmAgentMetadata> workers)
    {
        options.ThrowIfInvalid();
        var answers = workers.ToDictionary(
            worker => worker.Key, worker => HandshakeCodec.Encode(new HandshakePayload(compatibilityHash, HandshakeCodec.Encode(worker.Value))));
        var socket = new RouterSocket();
        try
        {
            socket.Options.Linger = TimeSpan.Zero;
            socket.Options.MaxMsgSize = QuestionBytesMax;
            var host = options.Host.Contains(':', StringComparison.Ordinal) ? $"[{options.Host}]" : options.Host;
            var port = options.Port;
            if (port == 0) { port = socket.BindRandomPort($"tcp://{host}"); }
            else { socket.Bind($"tcp://{host}:{port.ToString(CultureInfo.InvariantCulture)}"); }
            var server = new HandshakeServer(options, answers, socket, $"tcp://{host}:{port.ToString(CultureInfo.InvariantCulture)}");
            NixlLog.HandshakeServing(options.Logger, workers.Count, workers.Values.FirstOrDefault()?.EngineId ?? "(none)", server.Endpoint);
            return server;
        }
        catch (Exception exception) when (exception is NetMQException or System.Net.Sockets.SocketException)
        {
            socket.Dispose();
            throw new TransferConfigurationException(
                $"Answering handshakes at {options.Host}:{options.Port} failed: {exception.Message}. VLLM_NIXL_SIDE_CHANNEL_HOST is this node's own address, "
                + "on prefill and decode nodes alike, and VLLM_NIXL_SIDE_CHANNEL_PORT a free port.", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _serving;
        _stopping.Dispose();
    }

    private void Serve()
    {
        using (_socket)
        {
            var frames = new List<byte[]>(QuestionFrames);
            while (!_stopping.IsCancellationRequested)
            {
                try
                {
                    if (TryReceive(frames)) { Answer(frames); }
                }
                catch (NetMQException exception)
                {
                    NixlLog.HandshakeFailed(_options.Logger, exception);
                }
            }
        }
    }

    /// <summary>One message, of which no more frames are kept than a question has.</summary>
    private bool TryReceive(List<byte[]> frames)
    {
        frames.Clear();
        if (!_socket.TryReceiveFrameBytes(Step, out var frame, out var more)) { return false; }
        frames.Add(frame!);
        while (more)
        {
            frame = _socket.ReceiveFrameBytes(out more);
            if (frames.Count <= QuestionFrames) { frames.Add(frame); }
        }
        return true;
    }

    private void Answer(List<byte[]> frames)
    {
        if (frames.Count != QuestionFrames || frames[1].Length != 0)
        {
            NixlLog.HandshakeRefused(_options.Logger, $"a message of {frames.Count} or more frames is no question of a REQ socket.");
            return; // nobody can be told: only a REQ socket waits for an answer
        }
        // perf_counter of the answering side, which the asker compares with its own.
        var clock = new byte[9];
        clock[0] = MessagePackCode.Float64;
        BinaryPrimitives.WriteDoubleBigEndian(clock.AsSpan(1), _options.Time.GetTimestamp() / (double)_options.Time.TimestampFrequency);
        _socket.SendMoreFrame(frames[0]).SendMoreFrameEmpty().SendMoreFrame(AnswerTo(frames[2])).SendFrame(clock);
    }

    private byte[] AnswerTo(byte[] question)
    {
        string reason;
        if (!HandshakeCodec.TryDecode(question, out MetadataQuestion asked, out var error))
        {
            reason = $"The question is {error}.";
        }
        else if (_answers.TryGetValue((asked.PipelineRank ?? 0, asked.TensorRank), out var answer))
        {
            return answer;
        }
        else
        {
            var ranks = string.Join(", ", _answers.Keys.Order().Take(16).Select(rank => $"({rank.Pipeline}, {rank.Tensor})"));
            reason = $"There is no worker of pipeline rank {asked.PipelineRank ?? 0} and tensor rank {asked.TensorRank} here; there are {ranks}.";
        }
        NixlLog.HandshakeRefused(_options.Logger, reason);
        return HandshakeCodec.EncodeRefusal(reason);
    }
}
