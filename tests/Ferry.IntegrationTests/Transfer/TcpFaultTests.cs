using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Wire;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>What only sockets can do: fall silent, break, be damaged, and be opened by anyone.</summary>
public sealed class TcpFaultTests : IAsyncLifetime
{
    private const int Bytes = 64 << 20;
    private const string Secret = "a secret of more than sixteen bytes";

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PeerFallsSilent_WithOrWithoutAReadUnderWay_IsDeadWithinThreeSecondsAndABit(bool reading)
    {
        // The owner would notice the silence too, and the proxy would tell the reader of the closed connection.
        var (owner, reader) = (await StartAsync("owner", options => options with { IdleTimeout = TimeSpan.FromSeconds(20) }), await StartAsync("reader"));
        await using var proxy = new WireProxy(owner.Endpoint);
        var peer = (await reader.ConnectAsync(proxy.Endpoint, Token)).Peer!;
        var (lease, source, target) = Arenas(owner, reader);
        var read = reading ? peer.ReadAsync(new[] { Whole(lease, source, target) }, Token) : null;
        while (read is { IsCompleted: false } && proxy.ToReaderBytes < Bytes / 8)
        {
            await Task.Yield();
        }
        var clock = Stopwatch.StartNew();

        proxy.Freeze();

        var closed = await peer.Closed.WaitAsync(TimeSpan.FromSeconds(30), Token);
        // 3 s of silence, seen at the next sweep of 0.25 s; the rest is what a busy machine adds.
        Assert.InRange(clock.Elapsed.TotalSeconds, 1.5, 8);
        Assert.Equal((TransferSide.Remote, TransferError.TimedOut), (closed.Side, closed.Error));
        if (read is not null)
        {
            var outcome = await read;
            Assert.Equal((TransferPhase.Read, TransferSide.Remote, TransferError.TimedOut), (outcome.Phase, outcome.Side, outcome.Error));
        }
        Assert.Equal(0, reader.Counts.TransfersInFlight);
    }

    [Fact]
    public async Task ConnectionBreaks_Midway_FailsAtOnceAndANewConnectReadsOn()
    {
        var (owner, reader) = (await StartAsync("owner"), await StartAsync("reader"));
        await using var proxy = new WireProxy(owner.Endpoint);
        var peer = (await reader.ConnectAsync(proxy.Endpoint, Token)).Peer!;
        var (lease, source, target) = Arenas(owner, reader);
        var read = peer.ReadAsync(new[] { Whole(lease, source, target) }, Token);
        while (!read.IsCompleted && proxy.ToReaderBytes < Bytes / 8)
        {
            await Task.Yield();
        }

        proxy.Cut();

        var outcome = await read.WaitAsync(TimeSpan.FromSeconds(2), Token);
        Assert.Equal((TransferPhase.Read, TransferSide.Remote, TransferError.ConnectionLost), (outcome.Phase, outcome.Side, outcome.Error));
        await using var again = (await reader.ConnectAsync(owner.Endpoint, Token)).Peer!;
        Assert.True((await again.ReadAsync(new[] { Whole(lease, source, target) }, Token)).IsSuccess);
        Assert.True(source.Bytes.SequenceEqual(target.Bytes));
    }

    [Fact]
    public async Task BitFlips_OnTheWire_AreCaughtByTheChecksumOrByTheProtocol()
    {
        var owner = await StartAsync("owner");
        var reader = await StartAsync("reader", options => options with { Transfers = new TransferLimits { Checksum = true } });
        await using var proxy = new WireProxy(owner.Endpoint);
        var (lease, source, target) = Arenas(owner, reader);
        var random = new Random(11);
        var caught = new HashSet<TransferError>();
        for (var round = 0; round < 6; round++)
        {
            await using var peer = (await reader.ConnectAsync(proxy.Endpoint, Token)).Peer!;
            target.Bytes.Clear();
            // The first rounds hit bytes, the last ones the head of a frame.
            proxy.FlipBit(round < 4 ? random.Next(1000, Bytes / 2) : 5);
            var outcome = await peer.ReadAsync(new[] { Whole(lease, source, target) }, Token);
            Assert.True(!outcome.IsSuccess || source.Bytes.SequenceEqual(target.Bytes));
            caught.Add(outcome.Error);
        }
        Assert.Contains(TransferError.ChecksumMismatch, caught);
        Assert.Contains(TransferError.ProtocolViolation, caught);
    }

    [Fact]
    public async Task ReaderThatTakesNothing_IsCutOffAndItsLeaseIsFree()
    {
        var owner = await StartAsync("owner", options => options with { StallTimeout = TimeSpan.FromMilliseconds(500) });
        var (control, sessionId) = await HandshakeAsync(owner);
        using var data = await DialAsync(owner);
        Assert.True((await ConnectionOpening.OpenAsync(data, ConnectionKind.Data, sessionId, [], SystemEntropy.Instance, Token)).IsSuccess);
        var source = new TestArena(owner, Bytes).Fill(1);
        var ended = new TaskCompletionSource();
        var lease = owner.Leases.TryGrant([source.All], TimeSpan.FromMinutes(5), null, (_, _) => ended.SetResult())!;
        var descriptors = new[] { new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, 0, Bytes), source.Region, 0) };
        var plan = TransferPlan.TryCreate(TransferDirection.Read, descriptors, new TransferLimits(), _ => Bytes, false, owner.Core.Regions, out _)!;
        var request = new byte[TransferCodec.RequestBytes(plan.Segments[0])];
        TransferCodec.WriteRequest(request, plan, plan.Segments[0], TransferFlags.None);
        plan.Release();
        await data.WriteAsync(FrameType.Read, TransferError.None, 1, request, Token);
        while (data.Socket.Available == 0)
        {
            await Task.Yield();
        }

        owner.Leases.Revoke(lease.Id);

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(10), Token);
        control.Dispose();
    }

    [Fact]
    public async Task Secret_SameOnBothSides_Connects_AnythingElseIsRefusedWithWords()
    {
        var guarded = await StartAsync("guarded", options => options with { SharedSecret = Secret });
        var open = await StartAsync("open");
        var friend = await StartAsync("friend", options => options with { SharedSecret = Secret });
        var stranger = await StartAsync("stranger", options => options with { SharedSecret = Secret + "?" });

        await using var peer = (await friend.ConnectAsync(guarded.Endpoint, Token)).Peer;
        Assert.NotNull(peer);
        foreach (var (from, to) in new[] { (stranger, guarded), (open, guarded), (friend, open) })
        {
            var outcome = (await from.ConnectAsync(to.Endpoint, Token)).Outcome;
            Assert.Equal((TransferPhase.Handshake, TransferError.AuthenticationFailed), (outcome.Phase, outcome.Error));
            Assert.Contains("secret", outcome.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, outcome.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Start_WhereItCannot_SaysWhichSettingAndTheWayOut()
    {
        var open = await Assert.ThrowsAsync<TransferConfigurationException>(() => StartAsync("x", options => options with { Host = "0.0.0.0" }));
        Assert.Contains("SharedSecret", open.Message, StringComparison.Ordinal);
        // TEST-NET-1: the guide's mistake, the peer's address where the own one belongs.
        var foreign = await Assert.ThrowsAsync<TransferConfigurationException>(
            () => StartAsync("x", options => options with { Host = "192.0.2.1", SharedSecret = Secret }));
        Assert.Contains("own", foreign.Message, StringComparison.Ordinal);
        var first = await StartAsync("first");
        var taken = await Assert.ThrowsAsync<TransferConfigurationException>(
            () => StartAsync("x", options => options with { Port = first.BoundEndpoint.Port }));
        Assert.Contains("VLLM_NIXL_SIDE_CHANNEL_PORT", taken.Message, StringComparison.Ordinal);
        await using var everywhere = await StartAsync("y", options => options with { Host = "0.0.0.0", SharedSecret = Secret, AdvertisedHost = "127.0.0.1" });
        Assert.StartsWith("127.0.0.1:", everywhere.Endpoint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Strangers_WithBytesThatAreNotTheProtocol_AreClosedAndTheAgentServesOn()
    {
        var owner = await StartAsync("owner", options => options with { CallDeadline = TimeSpan.FromSeconds(1) });
        var random = new Random(12);
        var openings = new List<byte[]>
        {
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            FrameHeader.Encode(FrameType.Hello, TransferError.None, 0, new byte[100]),
            FrameHeader.Encode(FrameType.Open, TransferError.None, 0, ConnectionProof.EncodeOpen(ConnectionKind.Data, false, 99, new byte[32])),
            new byte[1], // then silence: a slow loris
        };
        var huge = FrameHeader.Encode(FrameType.Open, TransferError.None, 0, default);
        huge.AsSpan(16, 4).Fill(0xFF);
        openings.Add(huge);
        for (var i = 0; i < 40; i++)
        {
            var noise = new byte[random.Next(1, 300)];
            random.NextBytes(noise);
            openings.Add(i % 2 == 0 ? noise : [.. FrameHeader.Encode((FrameType)(i % 18), TransferError.None, 0, noise)]);
        }

        await Task.WhenAll(openings.Select(async bytes =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(owner.BoundEndpoint, Token);
            await socket.SendAsync(bytes, Token);
            try
            {
                var answer = new byte[4096];
                while (await socket.ReceiveAsync(answer, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Token) > 0)
                {
                    // a refusal; then the end
                }
            }
            catch (SocketException)
            {
                // a reset is an end too
            }
        }));

        var reader = await StartAsync("reader");
        await using var peer = (await reader.ConnectAsync(owner.Endpoint, Token)).Peer!;
        var (lease, source, target) = Arenas(owner, reader);
        Assert.True((await peer.ReadAsync(new[] { Whole(lease, source, target) }, Token)).IsSuccess);
    }

    [Fact]
    public async Task Session_HostileFrames_CloseThatConnectionOnly()
    {
        var owner = await StartAsync("owner");
        var reader = await StartAsync("reader");
        await using var good = (await reader.ConnectAsync(owner.Endpoint, Token)).Peer!;
        var random = new Random(13);
        for (var round = 0; round < 60; round++)
        {
            var (control, sessionId) = await HandshakeAsync(owner);
            using var data = await DialAsync(owner);
            Assert.True((await ConnectionOpening.OpenAsync(data, ConnectionKind.Data, sessionId, [], SystemEntropy.Instance, Token)).IsSuccess);
            var noise = new byte[random.Next(0, 200)];
            random.NextBytes(noise);
            await data.WriteAsync(round % 2 == 0 ? FrameType.Read : FrameType.Write, TransferError.None, 1, noise, Token);
            await control.WriteAsync((FrameType)random.Next(1, 28), TransferError.None, 1, noise, Token);
            await control.SendAsync(noise, Token);
            control.Dispose();
        }
        Assert.False(good.Closed.IsCompleted);
        var (lease, source, target) = Arenas(owner, reader);
        Assert.True((await good.ReadAsync(new[] { Whole(lease, source, target) }, Token)).IsSuccess);
    }

    [Fact]
    public async Task Connections_OverTheLimit_AreRefusedAsOverloadedUntilOthersClose()
    {
        var owner = await StartAsync("owner", options => options with { ConnectionCountMax = 3 });
        var reader = await StartAsync("reader");
        var first = (await reader.ConnectAsync(owner.Endpoint, Token)).Peer!; // one control connection and two for data

        var outcome = (await reader.ConnectAsync(owner.Endpoint, Token)).Outcome;
        Assert.Equal((TransferPhase.Handshake, TransferSide.Remote), (outcome.Phase, outcome.Side));
        Assert.Contains(outcome.Error, new[] { TransferError.Overloaded, TransferError.ConnectionLost });

        await first.DisposeAsync();
        ConnectResult again;
        do
        {
            again = await reader.ConnectAsync(owner.Endpoint, Token); // the owner sees the close a moment later
        }
        while (again.Peer is null);
        await again.Peer.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ConnectionThatBlocks_AbortedOrCancelledFromOutside_EndsItsWait(bool sends)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        foreach (var cancels in new[] { false, true })
        {
            using var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            near.Connect(listener.LocalEndPoint!);
            using var far = listener.Accept(); // says and takes nothing
            using var connection = new FrameConnection(near, TimeProvider.System, blocks: true);
            using var cancelling = new CancellationTokenSource();
            var waiting = OwnThread.RunAsync("test", async () =>
            {
                try
                {
                    return sends
                        ? await connection.SendAsync(new byte[Bytes], cancelling.Token)
                        : await connection.ReceiveAsync(new byte[1], cancelling.Token);
                }
                catch (OperationCanceledException)
                {
                    return "cancelled";
                }
            });
            await Task.Delay(100, Token);
            Assert.False(waiting.IsCompleted);

            if (cancels)
            {
                await cancelling.CancelAsync();
            }
            else
            {
                connection.Abort("aborted");
            }

            Assert.Equal(cancels ? "cancelled" : "aborted", await waiting.WaitAsync(TimeSpan.FromSeconds(10), Token));
        }
    }

    private async Task<TcpTransferAgent> StartAsync(string engineId, Func<TcpAgentOptions, TcpAgentOptions>? change = null)
    {
        var options = new TcpAgentOptions { EngineId = engineId, Port = 0 };
        var agent = await TcpTransferAgent.StartAsync(change?.Invoke(options) ?? options, Token);
        _agents.Add(agent);
        return agent;
    }

    private static (Lease Lease, TestArena Source, TestArena Target) Arenas(TcpTransferAgent owner, TcpTransferAgent reader)
    {
        var source = new TestArena(owner, Bytes).Fill(1);
        return (owner.Leases.TryGrant([source.All], TimeSpan.FromMinutes(5))!, source, new TestArena(reader, Bytes));
    }

    private static TransferDescriptor Whole(Lease lease, TestArena source, TestArena target) =>
        new(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, 0, Bytes), target.Region, 0);

    private static async Task<FrameConnection> DialAsync(TcpTransferAgent owner)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, owner.BoundEndpoint.Port), Token);
        return new FrameConnection(socket, TimeProvider.System);
    }

    /// <summary>A session opened by hand.</summary>
    private static async Task<(FrameConnection Control, ulong SessionId)> HandshakeAsync(TcpTransferAgent owner)
    {
        var control = await DialAsync(owner);
        Assert.True((await ConnectionOpening.OpenAsync(control, ConnectionKind.Control, 0, [], SystemEntropy.Instance, Token)).IsSuccess);
        var hello = new PeerMetadata(new AgentIdentity("by hand", 1), KvDescription.None, []);
        await control.WriteAsync(FrameType.Hello, TransferError.None, 0, SideChannelCodec.Encode(hello).Written.ToArray(), Token);
        Assert.True((await ConnectionOpening.ReadReplyAsync(control, FrameType.HelloReply, Token)).IsSuccess);
        Assert.NotNull(SideChannelCodec.DecodeHelloReply(control.Payload.Span, out var sessionId));
        return (control, sessionId);
    }
}
