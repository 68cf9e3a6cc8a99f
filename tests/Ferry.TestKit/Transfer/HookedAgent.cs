using Ferry.Transfer;
using Ferry.Transfer.SideChannel;

namespace Ferry.TestKit.Transfer;

/// <summary>An agent that calls a hook before each read of its peers, so that a test can break something between two reads and not near them.</summary>
/// <param name="beforeRead">Given the number of the read, 1 for the first.</param>
public sealed class HookedAgent(ITransferAgent agent, Action<int> beforeRead) : ITransferAgent
{
    private int _reads;

    public AgentIdentity Identity => agent.Identity;

    public string Endpoint => agent.Endpoint;

    public LeaseTable Leases => agent.Leases;

    public TransferCounts Counts => agent.Counts;

    public MemoryRegion Register(nint address, long bytes, SharedBacking? backing = null) => agent.Register(address, bytes, backing);

    public async Task<ConnectResult> ConnectAsync(string endpoint, CancellationToken cancellationToken)
    {
        var connected = await agent.ConnectAsync(endpoint, cancellationToken);
        return connected.Peer is { } peer ? connected with { Peer = new HookedPeer(this, peer) } : connected;
    }

    public ValueTask DisposeAsync() => agent.DisposeAsync();

    private sealed class HookedPeer(HookedAgent owner, ITransferPeer peer) : ITransferPeer
    {
        public PeerMetadata Remote => peer.Remote;

        public MediumChoice Medium => peer.Medium;

        public Task<TransferOutcome> Closed => peer.Closed;

        public Task<LocateResult> LocateAsync(LocateRequest request, CancellationToken cancellationToken) => peer.LocateAsync(request, cancellationToken);

        public Task<ExtendResult> ExtendAsync(ExtendRequest request, CancellationToken cancellationToken) => peer.ExtendAsync(request, cancellationToken);

        public Task<TransferOutcome> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) => peer.ReleaseAsync(request, cancellationToken);

        public Task<TransferOutcome> ReadAsync(ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken)
        {
            owner.CallHook();
            return peer.ReadAsync(descriptors, cancellationToken);
        }

        public Task<TransferOutcome> WriteAsync(ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken) =>
            peer.WriteAsync(descriptors, cancellationToken);

        public Task<PrepareResult> PrepareAsync(PrepareRequest request, CancellationToken cancellationToken) => peer.PrepareAsync(request, cancellationToken);

        public Task<TransferOutcome> NotifyAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => peer.NotifyAsync(message, cancellationToken);

        public ValueTask DisposeAsync() => peer.DisposeAsync();
    }

    private void CallHook() => beforeRead(Interlocked.Increment(ref _reads));
}
