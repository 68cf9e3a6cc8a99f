using System.Collections.Concurrent;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.InProcess;

/// <summary>The reference agent: memory copies inside one process, with the faults of its <see cref="InProcessNetwork"/>.</summary>
public sealed class InProcessTransferAgent : ITransferAgent
{
    private readonly InProcessNetwork _network;
    private readonly ConcurrentDictionary<InProcessPeer, bool> _peers = new();
    private readonly UseGate _connects = new();
    private readonly UseGate _answers = new();
    private readonly SideChannelServer _server;
    private readonly CancellationTokenSource _stopping = new();
    private int _accepted;
    private int _disposed;

    private InProcessTransferAgent(InProcessNetwork network, string endpoint, TransferAgentOptions options)
    {
        _network = network;
        Endpoint = endpoint;
        Core = new AgentCore(options);
        Metadata = new PeerMetadata(Core.Identity, options.Kv, [new MediumAddress("self", System.Text.Encoding.UTF8.GetBytes(endpoint))], options.HeartbeatInterval);
        _server = new SideChannelServer(options.Handler, options.Logger, static (_, _) => null);
        Stopping = _stopping.Token;
    }

    public AgentIdentity Identity => Core.Identity;

    public string Endpoint { get; }

    public LeaseTable Leases => Core.Leases;

    public TransferCounts Counts => new(_peers.Count + Volatile.Read(ref _accepted), Leases.Count, Core.Regions.Count, Core.TransfersInFlight, Core.Regions.Bytes);

    internal AgentCore Core { get; }

    internal PeerMetadata Metadata { get; }

    /// <summary>Cancelled when the agent begins to close: its peers see the connection break.</summary>
    internal CancellationToken Stopping { get; }

    /// <summary>Starts an agent at a name of the network that is free.</summary>
    public static InProcessTransferAgent Start(InProcessNetwork network, string endpoint, TransferAgentOptions options)
    {
        var agent = new InProcessTransferAgent(network, endpoint, options);
        network.Add(agent);
        Log.AgentStarted(options.Logger, agent.Identity, endpoint);
        return agent;
    }

    public MemoryRegion Register(nint address, long bytes, SharedBacking? backing = null) => Core.Regions.Add(address, bytes, backing);

    public async Task<ConnectResult> ConnectAsync(string endpoint, CancellationToken cancellationToken)
    {
        if (!_connects.TryEnter())
        {
            return Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Closed, "The agent was disposed.");
        }
        try
        {
            return await ConnectOnceAsync(endpoint, cancellationToken);
        }
        finally
        {
            _connects.Leave();
        }
    }

    private async Task<ConnectResult> ConnectOnceAsync(string endpoint, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Core.Options.CallDeadline, Core.Options.Clock);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Stopping, timeout.Token);
        InProcessTransferAgent? remote;
        try
        {
            await _network.CarryAsync(Endpoint, endpoint, deadline.Token);
            remote = _network.TryFind(endpoint);
            await _network.CarryAsync(endpoint, Endpoint, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            return Failed(TransferPhase.Connect, cancellationToken.IsCancellationRequested ? TransferSide.Local : TransferSide.Remote,
                cancellationToken.IsCancellationRequested ? TransferError.Cancelled : Stopping.IsCancellationRequested ? TransferError.Closed : TransferError.TimedOut,
                $"No answer from '{endpoint}'.");
        }
        if (remote is null || remote.Stopping.IsCancellationRequested)
        {
            return Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.Unreachable, $"No agent is at '{endpoint}'.");
        }
        if (remote == this)
        {
            return Failed(TransferPhase.Handshake, TransferSide.Local, TransferError.ConnectedToSelf, $"'{endpoint}' is this agent itself.");
        }
        var peer = new InProcessPeer(_network, this, remote);
        _peers[peer] = true;
        peer.Begin();
        Log.PeerConnected(Core.Options.Logger, remote.Identity, endpoint);
        return new ConnectResult(peer, TransferOutcome.Success(TransferPhase.Handshake));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        _network.Remove(this);
        await _stopping.CancelAsync();
        await _connects.CloseAsync();
        await _answers.CloseAsync(); // The peers have seen the connection break, which ends their questions.
        foreach (var peer in _peers.Keys)
        {
            await peer.DisposeAsync();
        }
        await Core.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>Answers a peer's request, in the peer's thread; null once the agent closes, which waits for the answers under way.</summary>
    internal async ValueTask<(FrameType Type, TransferError Status, ReadOnlyMemory<byte> Payload)?> TryAnswerAsync(
        PeerMetadata peer, FrameType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (!_answers.TryEnter())
        {
            return null;
        }
        try
        {
            return await _server.AnswerAsync(peer, type, payload, cancellationToken);
        }
        finally
        {
            _answers.Leave();
        }
    }

    internal void Forget(InProcessPeer peer) => _peers.TryRemove(peer, out _);

    internal void CountAccepted(int change) => Interlocked.Add(ref _accepted, change);

    private static ConnectResult Failed(TransferPhase phase, TransferSide side, TransferError error, string message) =>
        new(null, TransferOutcome.Failed(phase, side, error, message));
}
