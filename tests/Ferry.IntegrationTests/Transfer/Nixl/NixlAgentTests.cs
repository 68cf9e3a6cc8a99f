using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Ferry.Kv.Ucx;
using Ferry.TestKit;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.Nixl;
using Ferry.Transfer.Nixl.SideChannel;
using Ferry.Transfer.Ucx;

namespace Ferry.IntegrationTests.Transfer.Nixl;

/// <summary>Ferry as a NIXL agent, over this machine's UCX.</summary>
/// <remarks>
/// The peer is Ferry's own, unless FERRY_NIXL_PEER is HOST:PORT of a running tests/lab/nixl-peer.py; then FERRY_NIXL_PEER_UCX says its UCX
/// (as 1.22) and FERRY_UCX_LIB points to a libucp.so.0 of 1.19 or newer for this side.
/// </remarks>
public sealed class NixlAgentTests : IAsyncLifetime
{
    private const int Bytes = 1 << 20;

    private static readonly NixlCommOptions Comm = new() { Port = 0, Patience = TimeSpan.FromSeconds(20) };

    private readonly List<IAsyncDisposable> _open = [];
    private UcxHandleCounts _before;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _before = UcxHandleCounts.Now;
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = _open.Count - 1; i >= 0; i--)
        {
            await _open[i].DisposeAsync();
        }
        Assert.Equal(_before, UcxHandleCounts.Now); // nothing native is left
    }

    [Fact]
    public async Task Peer_GetPutNotifyBothWaysAndServe_MoveEveryByte()
    {
        var endpoint = await PeerAsync();
        var (agent, memory, bytes) = await StartAsync("ferry-d");

        var (outcome, peer) = await agent.ConnectAsync(endpoint, Token);
        Assert.True(outcome.IsSuccess, outcome.ToString());
        var far = peer!.Metadata.Sections[0].Regions[0].Memory;
        var count = (int)Math.Min(far.Bytes, Bytes);
        NixlMove[] whole = [new NixlMove(memory, 0, far with { Bytes = (ulong)count })];

        await AskAsync(agent, peer, "echo hello, peer", "hello, peer");

        // Write, let the peer look, read back.
        new Random(1).NextBytes(bytes.AsSpan(0, count));
        var written = bytes[..count];
        Assert.Equal(TransferOutcome.Success(TransferPhase.Verify, count), await peer.WriteAsync(whole, "sum"u8.ToArray(), Token));
        Assert.Equal(written.Sum(one => (long)one).ToString(CultureInfo.InvariantCulture), await HearAsync(agent));
        Array.Clear(bytes);
        Assert.True((await peer.ReadAsync(whole, default, Token)).IsSuccess);
        Assert.Equal(written, bytes[..count]);

        // Pieces in another order.
        var pieces = Enumerable.Range(0, 64).Select(i => new NixlMove(memory, i * 1024, far with { Address = far.Address + (ulong)((63 - i) * 1024), Bytes = 1024 })).ToArray();
        Assert.True((await peer.ReadAsync(pieces, default, Token)).IsSuccess);
        Assert.All(Enumerable.Range(0, 64), i => Assert.Equal(written.AsSpan((63 - i) * 1024, 1024), bytes.AsSpan(i * 1024, 1024)));

        // Now the peer reads and writes this side.
        new Random(2).NextBytes(bytes);
        var inverted = bytes.Select(one => (byte)~one).ToArray();
        await AskAsync(agent, peer, string.Create(CultureInfo.InvariantCulture, $"pull {memory.Range.Address} {count}"), "pulled");
        Assert.Equal(inverted[..count], bytes[..count]);
    }

    [Fact]
    public async Task Peer_RangesThatItHasNot_AreRefusedBeforeAnythingIsSent()
    {
        var (agent, memory, _) = await StartAsync("ferry-d");
        var peer = (await agent.ConnectAsync(await OwnPeerAsync(), Token)).Peer!;
        var far = peer.Metadata.Sections[0].Regions[0].Memory;
        await ExpectAsync(TransferError.RegionUnknown, new NixlMove(memory, 0, far with { Address = far.Address + 1 }));
        await ExpectAsync(TransferError.RegionUnknown, new NixlMove(memory, 0, far with { DeviceId = 3 }));
        await ExpectAsync(TransferError.OutOfRange, new NixlMove(memory, 1, far));
        await ExpectAsync(TransferError.OutOfRange, new NixlMove(memory, 0, far with { Bytes = 0 }));
        await ExpectAsync(TransferError.OutOfRange, new NixlMove(memory, 0, far with { Bytes = ulong.MaxValue }));
        await memory.DisposeAsync();
        await ExpectAsync(TransferError.RegionUnknown, new NixlMove(memory, 0, far));

        async Task ExpectAsync(TransferError error, NixlMove move)
        {
            var outcome = await peer.ReadAsync([move], default, Token);
            Assert.Equal((TransferPhase.Prepare, error), (outcome.Phase, outcome.Error));
        }
    }

    [Fact]
    public async Task Load_UcxThatIsUnknownOrDoesNotFit_IsRefusedBeforeItsAddressIsTouched()
    {
        var agent = (await NixlAgent.StartAsync(new NixlAgentOptions { Name = "ferry-d", Ucx = Ucx })).Opened(_open);
        var endpoints = UcxHandleCounts.Now.Endpoints;
        var hostile = new NixlMetadata("nixl", [new NixlConnection("UCX", new byte[] { 0xff, 0xff, 0xff })], []); // an address that would end the process
        var unknown = await agent.LoadAsync(hostile, Token);
        Assert.Equal(TransferError.VersionMismatch, unknown.Outcome.Error);
        Assert.Contains("PeerUcxVersion", unknown.Outcome.Message, StringComparison.Ordinal);
        var older = await agent.LoadAsync(hostile with { Connections = [.. hostile.Connections, UcxCompatibility.Tell(new UcxVersion(1, 2))] }, Token);
        Assert.Equal(TransferError.VersionMismatch, older.Outcome.Error);
        Assert.Contains("1.19", older.Outcome.Message, StringComparison.Ordinal);
        var other = await agent.LoadAsync(hostile with { Connections = [new NixlConnection("LIBFABRIC", new byte[] { 1 })] }, Token);
        Assert.Contains("no UCX backend, only LIBFABRIC", other.Outcome.Message, StringComparison.Ordinal);
        var self = await agent.LoadAsync(hostile with { AgentName = "ferry-d" }, Token);
        Assert.Equal(TransferError.ConnectedToSelf, self.Outcome.Error);
        Assert.Equal(endpoints, UcxHandleCounts.Now.Endpoints);
        Assert.Empty(agent.PeerNames);
    }

    [Fact]
    public async Task Metadata_AfterRegistrations_NamesTheMemoryAndLoadsAgain()
    {
        var (agent, memory, _) = await StartAsync("ferry-d");
        var peerAgent = (await NixlTestPeer.StartAsync(new NixlAgentOptions { Name = "nixl-p", Ucx = Ucx, SideChannel = Comm }, Bytes)).Opened(_open);
        Assert.True(NixlCodec.TryDecode(agent.LocalMetadata.Span, new NixlLimits(), out NixlMetadata? first, out var error), error);
        Assert.Equal(memory.Range, Assert.Single(Assert.Single(first.Sections).Regions).Memory);
        var loaded = (await peerAgent.Agent.LoadAsync(first, Token)).Peer!;
        var more = GC.AllocateArray<byte>(4096, pinned: true);
        var second = agent.Register(Marshal.UnsafeAddrOfPinnedArrayElement(more, 0), more.Length);
        Assert.True(NixlCodec.TryDecode(agent.LocalMetadata.Span, new NixlLimits(), out NixlMetadata? again, out error), error);
        Assert.Same(loaded, (await peerAgent.Agent.LoadAsync(again, Token)).Peer);
        Assert.Equal(2, loaded.Metadata.Sections[0].Regions.Count);
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Peer_Gone_IsAnOutcomeAndItsSuccessorIsLoaded()
    {
        var peer = (await NixlTestPeer.StartAsync(new NixlAgentOptions { Name = "nixl-p", Ucx = Ucx, SideChannel = Comm }, Bytes)).Opened(_open);
        var (agent, memory, _) = await StartAsync("ferry-d");
        var loaded = (await agent.ConnectAsync(peer.Agent.SideChannel!, Token)).Peer!;
        var far = loaded.Metadata.Sections[0].Regions[0].Memory;
        Assert.True((await loaded.ReadAsync([new NixlMove(memory, 0, far)], default, Token)).IsSuccess);

        await peer.DisposeAsync();

        TransferOutcome outcome;
        do
        {
            outcome = await loaded.ReadAsync([new NixlMove(memory, 0, far)], default, Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        }
        while (outcome.IsSuccess);
        Assert.Equal((TransferSide.Remote, TransferError.ConnectionLost), (outcome.Side, outcome.Error));
        var successor = (await NixlTestPeer.StartAsync(new NixlAgentOptions { Name = "nixl-p", Ucx = Ucx, SideChannel = Comm }, Bytes)).Opened(_open);
        var again = await agent.ConnectAsync(successor.Agent.SideChannel!, Token);
        Assert.True(again.Outcome.IsSuccess, again.Outcome.ToString());
        Assert.NotSame(loaded, again.Peer);
    }

    private static UcxOptions Ucx => new() { Transports = Environment.GetEnvironmentVariable("UCX_TLS") is null ? "tcp,self" : null };

    private async Task<(NixlAgent Agent, NixlMemory Memory, byte[] Bytes)> StartAsync(string name)
    {
        var agent = await NixlAgent.StartAsync(new NixlAgentOptions
        {
            Name = name,
            Ucx = Ucx,
            PeerUcxVersion = UcxVersion.TryParse(Environment.GetEnvironmentVariable("FERRY_NIXL_PEER_UCX")),
        });
        _open.Add(agent);
        var bytes = GC.AllocateArray<byte>(Bytes, pinned: true);
        return (agent, agent.Register(Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), Bytes), bytes);
    }

    /// <summary>The side channel of the peer to test with.</summary>
    private async Task<IPEndPoint> PeerAsync() =>
        Environment.GetEnvironmentVariable("FERRY_NIXL_PEER") is { Length: > 0 } given ? IPEndPoint.Parse(given) : await OwnPeerAsync();

    private async Task<IPEndPoint> OwnPeerAsync() =>
        (await NixlTestPeer.StartAsync(new NixlAgentOptions { Name = "nixl-p", Ucx = Ucx, SideChannel = Comm }, Bytes)).Opened(_open).Agent.SideChannel!;

    private static async Task AskAsync(NixlAgent agent, NixlPeer peer, string question, string answer)
    {
        var sent = await peer.NotifyAsync(Encoding.UTF8.GetBytes(question));
        Assert.True(sent.IsSuccess, sent.ToString());
        Assert.Equal(answer, await HearAsync(agent));
    }

    private static async Task<string> HearAsync(NixlAgent agent)
    {
        var heard = await agent.ReceiveAsync(Token).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Token);
        return Encoding.UTF8.GetString(heard.Message.Span);
    }
}
