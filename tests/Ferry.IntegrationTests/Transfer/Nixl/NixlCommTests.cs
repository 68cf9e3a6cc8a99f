using System.Net;
using System.Net.Sockets;
using Ferry.Transfer;
using Ferry.Transfer.Nixl;
using Ferry.Transfer.Nixl.SideChannel;

namespace Ferry.IntegrationTests.Transfer.Nixl;

/// <summary>NIXL's own side channel over real sockets.</summary>
public sealed class NixlCommTests
{
    private static readonly NixlCommOptions Options = new() { Port = 0, Patience = TimeSpan.FromSeconds(1) };

    private static readonly NixlMetadata Metadata = new(
        "ferry-p", [new NixlConnection("UCX", new byte[40])], [new NixlSection("UCX", NixlMemoryType.Dram, [new NixlRegion(new NixlDescriptor(1, 2, 0), new byte[9])])]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fetch_FromAListener_BringsItsMetadata()
    {
        await using var listener = NixlCommListener.Start(Options, new Handler { LocalMetadata = NixlCodec.Encode(Metadata) });
        var (outcome, metadata) = await NixlCommClient.FetchAsync(listener.Endpoint, Options, Token);
        Assert.True(outcome.IsSuccess, outcome.ToString());
        Assert.Equal(NixlCodec.Encode(Metadata), NixlCodec.Encode(metadata!));
    }

    [Fact]
    public async Task Fetch_BeforeThePeerHasRegistered_AsksAgainUntilItHas()
    {
        var handler = new Handler { LocalMetadata = NixlCodec.Encode(Metadata with { Sections = [] }) };
        await using var listener = NixlCommListener.Start(Options, handler);
        var fetching = NixlCommClient.FetchAsync(listener.Endpoint, Options with { Patience = TimeSpan.FromSeconds(20) }, Token);
        while (handler.Asked < 2) { await Task.Delay(10, Token); }
        handler.LocalMetadata = NixlCodec.Encode(Metadata);
        var (outcome, metadata) = await fetching;
        Assert.True(outcome.IsSuccess, outcome.ToString());
        Assert.Single(metadata!.Sections);
    }

    [Fact]
    public async Task Fetch_PeerThatNeverRegisters_TimesOut()
    {
        await using var listener = NixlCommListener.Start(Options, new Handler { LocalMetadata = NixlCodec.Encode(Metadata with { Sections = [] }) });
        var (outcome, _) = await NixlCommClient.FetchAsync(listener.Endpoint, Options, Token);
        Assert.Equal((TransferSide.Remote, TransferError.TimedOut), (outcome.Side, outcome.Error));
    }

    [Fact]
    public async Task SendAndInvalidate_ReachTheHandler()
    {
        var handler = new Handler();
        await using var listener = NixlCommListener.Start(Options, handler);
        Assert.True((await NixlCommClient.SendAsync(listener.Endpoint, NixlCodec.Encode(Metadata), Options, Token)).IsSuccess);
        Assert.Equal("ferry-p", (await handler.WhenLoaded.Task.WaitAsync(TimeSpan.FromSeconds(30), Token)).AgentName);
        Assert.True((await NixlCommClient.InvalidateAsync(listener.Endpoint, "ferry-p", Options, Token)).IsSuccess);
        Assert.Equal("ferry-p", await handler.WhenInvalidated.Task.WaitAsync(TimeSpan.FromSeconds(30), Token));
    }

    [Theory]
    [InlineData("ffffffffffffffff")] // a length without bounds
    [InlineData("0100000000000000ff")] // shorter than a word
    [InlineData("0d000000000000004e49584c434f4d4d3a4e4f5045")] // NIXLCOMM:NOPE
    [InlineData("0e000000000000004e49584c434f4d4d3a4c4f414478")] // metadata that is none
    [InlineData("0d00000000000000")] // and then nothing: a slow loris
    [InlineData("0d")]
    public async Task Listener_HostilePeer_IsClosedAndOthersAreServed(string hex)
    {
        await using var listener = NixlCommListener.Start(Options, new Handler { LocalMetadata = NixlCodec.Encode(Metadata) });
        using var hostile = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await hostile.ConnectAsync(listener.Endpoint, Token);
        await hostile.SendAsync(Convert.FromHexString(hex), Token);

        var (outcome, _) = await NixlCommClient.FetchAsync(listener.Endpoint, Options, Token);

        Assert.True(outcome.IsSuccess, outcome.ToString());
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        var received = await ReceiveOrResetAsync(hostile, patience.Token);
        Assert.Equal(0, received);
    }

    [Fact]
    public async Task Listener_MoreConnectionsThanAllowed_TurnsTheLastAway()
    {
        await using var listener = NixlCommListener.Start(Options with { ConnectionCountMax = 1 }, new Handler { LocalMetadata = NixlCodec.Encode(Metadata) });
        using var first = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(listener.Endpoint, Token);
        while (listener.ConnectionCount == 0) { await Task.Delay(10, Token); }
        using var second = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await second.ConnectAsync(listener.Endpoint, Token);
        Assert.Equal(0, await ReceiveOrResetAsync(second, Token));
    }

    [Fact]
    public void Start_BeyondLoopback_MustBeSaidAloud()
    {
        var error = Assert.Throws<TransferConfigurationException>(() => NixlCommListener.Start(Options with { Address = IPAddress.Any }, new Handler()));
        Assert.Contains("AllowUnauthenticated", error.Message, StringComparison.Ordinal);
    }

    private static async Task<int> ReceiveOrResetAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[16], cancellationToken);
        }
        catch (SocketException)
        {
            return 0; // reset: closed with bytes unread
        }
    }

    private sealed class Handler : INixlCommHandler
    {
        private ReadOnlyMemory<byte> _metadata;
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public TaskCompletionSource<NixlMetadata> WhenLoaded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<string> WhenInvalidated { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ReadOnlyMemory<byte> LocalMetadata
        {
            get
            {
                Interlocked.Increment(ref _asked);
                return _metadata;
            }
            set => _metadata = value;
        }

        public void Loaded(NixlMetadata metadata) => WhenLoaded.TrySetResult(metadata);

        public void Invalidated(string agentName) => WhenInvalidated.TrySetResult(agentName);
    }
}
