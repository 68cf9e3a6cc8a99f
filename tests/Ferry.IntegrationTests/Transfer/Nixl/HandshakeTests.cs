using System.Text.Json;
using Ferry.TestKit;
using Ferry.Transfer;
using Ferry.Transfer.Nixl.Handshake;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.IntegrationTests.Transfer.Nixl;

/// <summary>vLLM's handshake over real ZMQ sockets: REQ at the asker as vLLM has it, and the recorded bytes of both sides.</summary>
public sealed class HandshakeTests
{
    private static readonly JsonElement Vectors =
        JsonDocument.Parse(File.ReadAllText(RepositoryRoot.At("tests/data/nixl/handshake_vectors.json"))).RootElement;

    private static readonly string Hash = Vectors.GetProperty("compat_hash")[0].GetProperty("sha256").GetString()!;

    private static readonly HandshakeOptions Options = new() { Port = 0 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Server_RecordedQuestionFromAReqSocket_AnswersTheRecordedBytes()
    {
        await using var server = HandshakeServer.Start(Options, Hash, Workers());
        var live = Vectors.GetProperty("live_exchange");
        using var socket = new RequestSocket(); // adds the empty delimiter, as zmq.REQ does
        socket.Connect(server.Endpoint);
        socket.SendFrame(Convert.FromHexString(live.GetProperty("request_frames_hex")[1].GetString()!));
        var reply = new NetMQMessage();
        Assert.True(socket.TryReceiveMultipartMessage(TimeSpan.FromSeconds(30), ref reply));
        Assert.Equal(2, reply!.FrameCount);
        Assert.Equal(live.GetProperty("reply_frames_hex")[0].GetString(), Convert.ToHexStringLower(reply[0].ToByteArray()));
        Assert.Equal(9, reply[1].MessageSize);
        Assert.Equal(0xcb, reply[1].Buffer[0]); // float64: the server's clock
    }

    [Fact]
    public async Task Client_RecordedAnswerFromARouterSocket_IsUnderstood()
    {
        var live = Vectors.GetProperty("live_exchange");
        using var router = new RouterSocket();
        var port = router.BindRandomPort("tcp://127.0.0.1");
        var answering = Task.Run(() =>
        {
            var question = router.ReceiveMultipartMessage();
            router.SendMoreFrame(question[0].ToByteArray()).SendMoreFrameEmpty()
                .SendMoreFrame(Convert.FromHexString(live.GetProperty("reply_frames_hex")[0].GetString()!))
                .SendFrame(Convert.FromHexString(live.GetProperty("reply_frames_hex")[1].GetString()!));
            return Convert.ToHexStringLower(question[2].ToByteArray());
        }, Token);
        var result = await HandshakeClient.AskAsync(
            $"tcp://127.0.0.1:{port}", new MetadataQuestion(0, 1), "3f1c2a34-0000-4000-8000-0000000000aa", Hash, Options, Token);
        Assert.True(result.Outcome.IsSuccess, result.Outcome.ToString());
        Assert.Equal(live.GetProperty("request_frames_hex")[1].GetString(), await answering);
        Assert.Equal((1, 1024L, "HND", 16), (result.Metadata!.DeviceId, result.Metadata.BlockCount, result.Metadata.Layout, result.Metadata.BlockTokens));
        Assert.NotNull(result.ClockOffset);
    }

    [Fact]
    public async Task ClientAndServer_EveryRank_GetsItsOwnMetadata()
    {
        await using var server = HandshakeServer.Start(Options, Hash, Workers());
        for (var rank = 0; rank < 2; rank++)
        {
            var result = await HandshakeClient.AskAsync(server.Endpoint, new MetadataQuestion(0, rank), null, Hash, Options, Token);
            Assert.True(result.Outcome.IsSuccess, result.Outcome.ToString());
            Assert.Equal(rank, result.Metadata!.DeviceId);
            Assert.InRange(result.ClockOffset!.Value, TimeSpan.FromSeconds(-5), TimeSpan.FromSeconds(5)); // one process: one clock
        }
        var older = await HandshakeClient.AskAsync(server.Endpoint, new MetadataQuestion(null, 1), null, null, Options, Token);
        Assert.Equal(1, older.Metadata!.DeviceId);
    }

    [Fact]
    public async Task Client_WrongHash_IsRefusedOrWarnedOfAsConfigured()
    {
        await using var server = HandshakeServer.Start(Options, Hash, Workers());
        var wrong = new string('0', 64);
        var refused = await HandshakeClient.AskAsync(server.Endpoint, new MetadataQuestion(0, 0), null, wrong, Options, Token);
        Assert.Equal(TransferError.VersionMismatch, refused.Outcome.Error);
        Assert.StartsWith("NIXL compatibility hash mismatch", refused.Outcome.Message, StringComparison.Ordinal);
        Assert.Contains("enforce_handshake_compat", refused.Outcome.Message, StringComparison.Ordinal);
        Assert.Equal(Hash, refused.CompatibilityHash);
        var tolerated = await HandshakeClient.AskAsync(
            server.Endpoint, new MetadataQuestion(0, 0), null, wrong, Options with { EnforceCompatibility = false }, Token);
        Assert.True(tolerated.Outcome.IsSuccess, tolerated.Outcome.ToString());
    }

    [Fact]
    public async Task Client_OtherEngine_IsToldWhatThatMeans()
    {
        await using var server = HandshakeServer.Start(Options, Hash, Workers());
        var result = await HandshakeClient.AskAsync(server.Endpoint, new MetadataQuestion(0, 0), "other", Hash, Options, Token);
        Assert.StartsWith("Remote NIXL agent engine ID mismatch. Expected other", result.Outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_RankThatIsNotThere_SaysSoAndLives()
    {
        await using var server = HandshakeServer.Start(Options, Hash, Workers());
        var absent = await HandshakeClient.AskAsync(server.Endpoint, new MetadataQuestion(3, 7), null, Hash, Options, Token);
        Assert.Contains("no worker of pipeline rank 3 and tensor rank 7 here; there are (0, 0), (0, 1)", absent.Outcome.Message, StringComparison.Ordinal);
        Assert.True((await HandshakeClient.AskAsync(server.Endpoint, new MetadataQuestion(0, 0), null, Hash, Options, Token)).Outcome.IsSuccess);
    }

    [Fact]
    public async Task Server_HostileMessages_AreRefusedAndItLives()
    {
        await using var server = HandshakeServer.Start(Options, Hash, Workers());
        using var socket = new DealerSocket();
        socket.Options.Linger = TimeSpan.Zero;
        socket.Connect(server.Endpoint);
        socket.SendFrame("no delimiter");
        for (var frame = 0; frame < 1000; frame++) { socket.SendMoreFrame("one of many"); }
        socket.SendFrame("the last");
        socket.SendMoreFrameEmpty().SendFrame(new byte[] { 0x93, 0xc1 }); // a question that is none: answered with the reason
        var reply = new NetMQMessage();
        Assert.True(socket.TryReceiveMultipartMessage(TimeSpan.FromSeconds(30), ref reply));
        Assert.False(HandshakeCodec.TryDecode(reply![1].ToByteArray(), out HandshakePayload? _, out var error));
        Assert.StartsWith("the peer refuses: The question is", error, StringComparison.Ordinal);
        socket.SendMoreFrameEmpty().SendFrame(new byte[1 << 20]); // over the limit of a question: the connection ends
        Assert.True((await HandshakeClient.AskAsync(server.Endpoint, new MetadataQuestion(0, 0), null, Hash, Options, Token)).Outcome.IsSuccess);
    }

    [Fact]
    public async Task Client_NobodyThere_TimesOutAndSaysSo()
    {
        using var router = new RouterSocket();
        var port = router.BindRandomPort("tcp://127.0.0.1");
        router.Unbind($"tcp://127.0.0.1:{port}");
        var result = await HandshakeClient.AskAsync(
            $"tcp://127.0.0.1:{port}", new MetadataQuestion(0, 0), null, null, Options with { AnswerWithin = TimeSpan.FromMilliseconds(300) }, Token);
        Assert.Equal(TransferError.TimedOut, result.Outcome.Error);
    }

    [Fact]
    public void Start_HostThatIsNotOwnOrOpenToAll_ExplainsTheGuidesMistake()
    {
        var foreign = Assert.Throws<TransferConfigurationException>(() =>
            HandshakeServer.Start(new HandshakeOptions { Host = "203.0.113.7", Port = 5600, AllowUnauthenticated = true }, Hash, Workers()));
        Assert.Contains("this node's own address", foreign.Message, StringComparison.Ordinal);
        var open = Assert.Throws<TransferConfigurationException>(() => HandshakeServer.Start(new HandshakeOptions { Host = "0.0.0.0" }, Hash, Workers()));
        Assert.Contains("AllowUnauthenticated", open.Message, StringComparison.Ordinal);
    }

    /// <summary>The two workers of the vectors.</summary>
    private static Dictionary<(int, int), VllmAgentMetadata> Workers() => Enumerable.Range(0, 2).ToDictionary(rank => (0, rank), rank =>
    {
        var bytes = Convert.FromHexString(Vectors.GetProperty("agent_metadata")[rank].GetProperty("msgpack_hex").GetString()!);
        Assert.True(HandshakeCodec.TryDecode(bytes, out VllmAgentMetadata? metadata, out var error), error);
        return metadata;
    });
}
