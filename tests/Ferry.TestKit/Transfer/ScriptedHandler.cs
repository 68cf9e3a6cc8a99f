using System.Collections.Concurrent;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;

namespace Ferry.TestKit.Transfer;

/// <summary>An owner whose answers the test writes, and which remembers what it was asked.</summary>
public sealed class ScriptedHandler : ISideChannelHandler
{
    public Func<PeerMetadata, LocateRequest, LocateReply> OnLocate { get; set; } =
        static (_, _) => LocateReply.Refused(TransferError.NotFound, "Nothing is scripted.");

    public Func<PeerMetadata, ExtendRequest, IReadOnlyList<TimeSpan>> OnExtend { get; set; } =
        static (_, request) => new TimeSpan[request.Holds.Count];

    public Func<PeerMetadata, PrepareRequest, PrepareReply> OnPrepare { get; set; } =
        static (_, _) => PrepareReply.Refused(TransferError.Refused, "Nothing is scripted.");

    public Func<PeerMetadata, ReadOnlyMemory<byte>, bool> OnNotified { get; set; } = static (_, _) => false;

    public ConcurrentQueue<ReleaseRequest> Released { get; } = new();

    public ValueTask<LocateReply> LocateAsync(PeerMetadata peer, LocateRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OnLocate(peer, request));

    public ValueTask<IReadOnlyList<TimeSpan>> ExtendAsync(PeerMetadata peer, ExtendRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OnExtend(peer, request));

    public ValueTask<PrepareReply> PrepareAsync(PeerMetadata peer, PrepareRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OnPrepare(peer, request));

    public ValueTask<bool> NotifiedAsync(PeerMetadata peer, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OnNotified(peer, message));

    public ValueTask ReleaseAsync(PeerMetadata peer, ReleaseRequest request, CancellationToken cancellationToken)
    {
        Released.Enqueue(request);
        return ValueTask.CompletedTask;
    }
}
