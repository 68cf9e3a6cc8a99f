using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Wire;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Peers that know the protocol and break it: what they do must end bounded, and never touch memory that is no longer theirs.</summary>
public sealed class HostileTransferTests : IAsyncLifetime
{
    private const int Bytes = 32 << 20;

    private readonly List<TcpTransferAgent> _agents = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
            Assert.Equal(default, agent.Counts);
        }
    }

    [Fact]
    public async Task Owner_AnswersAWriteBeforeItHasTheBytes_MemoryIsHeldUntilTheyAreNoLongerSent()
    {
        var writer = await StartAsync("writer", options => options with { Transfers = new TransferLimits { SegmentBytes = Bytes } }); // one segment
        using var listener = Listen(out var endpoint);
        var near = new TestArena(writer, Bytes);
        var answered = new TaskCompletionSource();
        var owner = ServeByHandAsync(listener, async data =>
        {
            var frame = await data.ReadAsync(FrameHeader.PayloadBytesMax, Token);
            Assert.Equal(FrameType.Write, frame.Header.Type);
            var reply = new byte[TransferCodec.ReplyBytes];
            TransferCodec.WriteReply(reply, 1, 2, Bytes);
            await data.WriteAsync(FrameType.WriteReply, TransferError.None, frame.Header.Correlation, reply, Token);
            answered.SetResult(); // and takes no byte
        });
        await using var peer = (await writer.ConnectAsync(endpoint, Token)).Peer!;
        var clock = Stopwatch.StartNew();
        var writing = peer.WriteAsync(new[] { new TransferDescriptor(new RemoteRange(2, 1, 1, 0, Bytes), near.Region, 0) }, Token);
        await answered.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        var deregistering = near.Region.DisposeAsync().AsTask();

        await Task.Delay(500, Token);
        Assert.False(deregistering.IsCompleted);
        Assert.False(writing.IsCompleted);
        var outcome = await writing.WaitAsync(TimeSpan.FromSeconds(30), Token);

        Assert.Equal((TransferPhase.Write, TransferSide.Remote, TransferError.TimedOut), (outcome.Phase, outcome.Side, outcome.Error));
        Assert.InRange(clock.Elapsed.TotalSeconds, 2, 15);
        await deregistering.WaitAsync(TimeSpan.FromSeconds(5), Token);
        await owner;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task Writer_FallsSilentAmidItsBytes_IsCutOffAndTheBufferIsFree(int bytesSent)
    {
        var owner = await StartAsync("owner", options => options with { StallTimeout = TimeSpan.FromMilliseconds(500) });
        var far = new TestArena(owner, Bytes);
        var ended = new TaskCompletionSource();
        var lease = owner.Leases.TryGrant([far.All], TimeSpan.FromMinutes(5), null, (_, _) => ended.SetResult(), LeaseRights.Write)!;
        var (control, data) = await OpenByHandAsync(owner);
        await data.WriteAsync(FrameType.Write, TransferError.None, 1, WriteFrame(lease, far, TransferFlags.None), Token);
        await data.SendAsync(Enumerable.Repeat((byte)7, bytesSent).ToArray(), Token);
        // On a machine so busy that the silent peer is given up first, this fails and does not go on for ever.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (far.Bytes[bytesSent - 1] != 7)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        owner.Leases.Revoke(lease.Id);

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(10), Token);
        far.Bytes.Fill(0xEE);
        await data.SendAsync(new byte[1000], Token); // too late
        await Task.Delay(200, Token);
        Assert.False(far.Bytes.ContainsAnyExcept((byte)0xEE));
        control.Dispose();
        data.Dispose();
    }

    [Fact]
    public async Task Holder_ThatNeverSaysTook_LosesItsHoldWithItsConnection()
    {
        var owner = await StartAsync("owner");
        var far = new TestArena(owner, Bytes);
        var ended = new TaskCompletionSource();
        var lease = owner.Leases.TryGrant([far.All], TimeSpan.FromMinutes(5), null, (_, _) => ended.SetResult(), LeaseRights.Write)!;
        var (control, data) = await OpenByHandAsync(owner);
        await data.WriteAsync(FrameType.Write, TransferError.None, 1, WriteFrame(lease, far, TransferFlags.InPlace), Token);
        Assert.Equal(TransferError.None, (await data.ReadAsync(FrameHeader.PayloadBytesMax, Token)).Header.Status);
        owner.Leases.Revoke(lease.Id);
        await Task.Delay(300, Token);
        Assert.False(ended.Task.IsCompleted);

        // Neither a ping nor Took comes: in three seconds the session is dead.
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(15), Token);
        control.Dispose();
        data.Dispose();
    }

    [Fact]
    public async Task Write_WithFlagsOrSourcesThatMakeNoSense_ClosesThatConnection()
    {
        var owner = await StartAsync("owner");
        var far = new TestArena(owner, Bytes);
        var lease = owner.Leases.TryGrant([far.All], TimeSpan.FromMinutes(5), rights: LeaseRights.Write)!;
        var random = new Random(5);
        for (var round = 0; round < 40; round++)
        {
            var (control, data) = await OpenByHandAsync(owner);
            var frame = WriteFrame(lease, far, round % 4 == 0 ? TransferFlags.InPlace | TransferFlags.Fetch : TransferFlags.Fetch).ToList();
            var noise = new byte[random.Next(1, 200)];
            random.NextBytes(noise);
            frame.AddRange(noise);
            await data.WriteAsync(FrameType.Write, TransferError.None, 1, frame.ToArray(), Token);
            FrameResult answer;
            do
            {
                answer = await data.ReadAsync(FrameHeader.PayloadBytesMax, Token);
                Assert.True(!answer.IsSuccess || answer.Header.Status != TransferError.None);
            }
            while (answer.IsSuccess && answer.Header.Status != TransferError.MediumFailed);
            control.Dispose();
            data.Dispose();
        }
        Assert.False(far.Bytes.ContainsAnyExcept((byte)0));
        Assert.True(owner.Leases.Release(lease.Id));
    }

    private async Task<TcpTransferAgent> StartAsync(string engineId, Func<TcpAgentOptions, TcpAgentOptions>? change = null)
    {
        var options = new TcpAgentOptions { EngineId = engineId, Port = 0 };
        var agent = await TcpTransferAgent.StartAsync(change?.Invoke(options) ?? options, Token);
        _agents.Add(agent);
        return agent;
    }

    private static byte[] WriteFrame(Lease lease, TestArena far, TransferFlags flags)
    {
        var regions = new RegionTable(1);
        var plan = TransferPlan.TryCreate(
            TransferDirection.Write, new[] { new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, far.Region.Id, 0, Bytes), regions.Add(0x1000, Bytes), 0) },
            new TransferLimits(), _ => Bytes, false, regions, out _)!;
        var payload = new byte[TransferCodec.RequestBytes(plan.Segments[0])];
        TransferCodec.WriteRequest(payload, plan, plan.Segments[0], flags);
        plan.Release();
        return payload;
    }

    private static Socket Listen(out string endpoint)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        endpoint = $"127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}";
        return listener;
    }

    /// <summary>An owner that shakes hands as it should and answers pings, and whose data connections do as told.</summary>
    private static async Task ServeByHandAsync(Socket listener, Func<FrameConnection, Task> onData)
    {
        using var control = new FrameConnection(await listener.AcceptAsync(Token), TimeProvider.System);
        await AcceptAsync(control);
        await control.ReadAsync(FrameHeader.PayloadBytesMax, Token);
        var metadata = new PeerMetadata(new AgentIdentity("by hand", 1), KvDescription.None, [], TimeSpan.FromSeconds(1));
        await control.WriteAsync(FrameType.HelloReply, TransferError.None, 0, SideChannelCodec.EncodeHelloReply(7, metadata).Written.ToArray(), Token);
        List<FrameConnection> data = [];
        for (var i = 0; i < new TcpAgentOptions { EngineId = "x" }.StreamsPerPeer; i++)
        {
            data.Add(new FrameConnection(await listener.AcceptAsync(Token), TimeProvider.System));
            await AcceptAsync(data[^1]);
        }
        var serving = Task.WhenAny(data.Select(onData));
        while (await control.ReadAsync(FrameHeader.PayloadBytesMax, Token) is { IsSuccess: true } ping)
        {
            await control.WriteAsync(FrameType.Pong, TransferError.None, ping.Header.Correlation, default, Token);
        }
        await serving;
        data.ForEach(one => one.Dispose());
    }

    private static async Task AcceptAsync(FrameConnection connection)
    {
        var (outcome, _, _) = await ConnectionOpening.AcceptAsync(connection, [], SystemEntropy.Instance, Token);
        Assert.True(outcome.IsSuccess, outcome.ToString());
        await connection.WriteAsync(FrameType.Accept, TransferError.None, 0, default, Token);
    }

    private static async Task<(FrameConnection Control, FrameConnection Data)> OpenByHandAsync(TcpTransferAgent owner)
    {
        var control = await DialAsync(owner);
        Assert.True((await ConnectionOpening.OpenAsync(control, ConnectionKind.Control, 0, [], SystemEntropy.Instance, Token)).IsSuccess);
        var hello = new PeerMetadata(new AgentIdentity("by hand", 1), KvDescription.None, [], TimeSpan.FromSeconds(1));
        await control.WriteAsync(FrameType.Hello, TransferError.None, 0, SideChannelCodec.Encode(hello).Written.ToArray(), Token);
        Assert.True((await ConnectionOpening.ReadReplyAsync(control, FrameType.HelloReply, Token)).IsSuccess);
        Assert.NotNull(SideChannelCodec.DecodeHelloReply(control.Payload.Span, out var sessionId));
        var data = await DialAsync(owner);
        Assert.True((await ConnectionOpening.OpenAsync(data, ConnectionKind.Data, sessionId, [], SystemEntropy.Instance, Token)).IsSuccess);
        return (control, data);
    }

    private static async Task<FrameConnection> DialAsync(TcpTransferAgent owner)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, owner.BoundEndpoint.Port), Token);
        return new FrameConnection(socket, TimeProvider.System);
    }
}
