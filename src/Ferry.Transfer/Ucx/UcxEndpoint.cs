using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>The way from one worker to a peer's: reads and writes of its memory, and messages to it.</summary>
/// <remarks>
/// Made by <see cref="UcxWorker.ConnectAsync"/>. The public members may be called from any thread; the others run on the worker's. With
/// notice of dead peers: once the peer is lost every operation under way ends with an error, and no new one begins.
/// Let one operation end before closing: UCX 1.13 asserts, in the *peer*, when a worker goes away while a connection to it is being made.
/// </remarks>
internal sealed class UcxEndpoint : IAsyncDisposable
{
    private readonly Action<UcsStatus>? _failed;
    private readonly HashSet<UcxRemoteKey> _keys = []; // worker's thread only
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private nint _endpoint;
    private GCHandle _self;
    private UcsStatus _failure;
    private bool _sendsByTcp;
    private bool _closing;
    private bool _closesNow;
    private ITimer? _drainLimit;

    private UcxEndpoint(UcxWorker worker, UInt128 peer, Action<UcsStatus>? failed)
    {
        Worker = worker;
        Peer = peer;
        _failed = failed;
    }

    public UcxWorker Worker { get; }

    /// <summary>The probe token of the peer's <see cref="UcxAddress"/>; zero for a peer that reads nothing by messages.</summary>
    public UInt128 Peer { get; }

    /// <summary>Whether the peer is asked for what is read, because no transport to it reads by itself.</summary>
    public bool ReadsByMessage { get; private set; }

    /// <summary>Why the peer is lost; Ok while it is not.</summary>
    public UcsStatus Failure => _failure;

    /// <summary>Reads pieces of the peer's memory, or writes them, <see cref="UcxOptions.OperationsInFlight"/> ahead.</summary>
    /// <returns>Ok: all bytes of a read are here, all of a write are visible there. The task never faults and ends when no byte moves any more.</returns>
    public async Task<UcsStatus> MoveAsync(TransferDirection direction, IReadOnlyList<UcxPiece> pieces, CancellationToken cancellationToken)
    {
        var options = Worker.Context.Options;
        var transfer = new UcxTransfer(this, direction, pieces, options.OperationsInFlight, options.OperationBytes);
        await using var cancelling = cancellationToken.Register(transfer.Cancel);
        Worker.Post(transfer);
        return await transfer.Done;
    }

    /// <summary>The same, but cancelling closes the endpoint: what is under way at a peer that answers no more ends only so.</summary>
    public async Task<UcsStatus> MoveOrCloseAsync(TransferDirection direction, IReadOnlyList<UcxPiece> pieces, CancellationToken cancellationToken)
    {
        await using var closing = cancellationToken.Register(() => Worker.Post(new UcxClose(this)));
        return await MoveAsync(direction, pieces, cancellationToken);
    }

    /// <summary>Reads one range of the peer's memory.</summary>
    public Task<UcsStatus> GetAsync(UcxMemory local, long offset, ulong remoteAddress, UcxRemoteKey key, long bytes, CancellationToken cancellationToken) =>
        MoveAsync(TransferDirection.Read, [new UcxPiece(local, offset, key, remoteAddress, bytes)], cancellationToken);

    /// <summary>Writes one range of the peer's memory; visible there when the task ends.</summary>
    public Task<UcsStatus> PutAsync(UcxMemory local, long offset, ulong remoteAddress, UcxRemoteKey key, long bytes, CancellationToken cancellationToken) =>
        MoveAsync(TransferDirection.Write, [new UcxPiece(local, offset, key, remoteAddress, bytes)], cancellationToken);

    /// <summary>Ends when all that was written before is visible at the peer.</summary>
    public Task<UcsStatus> FlushAsync() => new UcxOneOperation(this, target => BeginFlush(target)).RunAsync();

    /// <summary>Sends an active message; ends when the bytes may be changed again, not when the peer has read them.</summary>
    /// <param name="header">Some dozen bytes at most; larger ones belong into the payload.</param>
    public async Task<UcsStatus> SendMessageAsync(uint id, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload)
    {
        using var headerPin = header.Pin();
        using var payloadPin = payload.Pin();
        return await SendPinnedAsync(id, headerPin, header.Length, payloadPin, payload.Length);
    }

    /// <summary>Makes a peer's packed key usable with this endpoint.</summary>
    /// <exception cref="UcxException">It is none of a release that this one understands, or no transport of both reaches the memory.</exception>
    public Task<UcxRemoteKey> UnpackKeyAsync(ReadOnlyMemory<byte> packed) => Worker.CallAsync(() => Unpack(packed.Span));

    /// <summary>The transports that UCX chose, such as <c>tcp/eth0, cma/memory</c>.</summary>
    public Task<string> DescribeAsync() => Worker.CallAsync(Describe);

    /// <summary>Ends the connection; what is under way fails.</summary>
    public async ValueTask DisposeAsync()
    {
        Worker.Post(new UcxClose(this));
        await _closed.Task;
    }

    internal static unsafe UcxEndpoint Create(UcxWorker worker, ReadOnlySpan<byte> address, UInt128 peer, Action<UcsStatus>? failed)
    {
        var endpoint = new UcxEndpoint(worker, peer, failed);
        endpoint._self = GCHandle.Alloc(endpoint);
        fixed (byte* bytes = address)
        {
            var parameters = new UcpEndpointParams
            {
                FieldMask = UcpEndpointParams.FieldRemoteAddress | UcpEndpointParams.FieldErrorMode | UcpEndpointParams.FieldErrorHandler,
                RemoteAddress = bytes,
                ErrorMode = UcpEndpointParams.ErrorModePeer,
                ErrorCallback = &OnError,
                ErrorArgument = (void*)GCHandle.ToIntPtr(endpoint._self),
            };
            void* native;
            var status = (UcsStatus)worker.Context.Api.EndpointCreate((void*)worker.Native, &parameters, &native);
            if (status != UcsStatus.Ok)
            {
                endpoint._self.Free();
                throw new UcxException($"ucp_ep_create: {worker.Context.Api.Describe(status)}.", status);
            }
            endpoint._endpoint = (nint)native;
        }
        UcxHandleCounts.Endpoint(1);
        worker.Add(endpoint);
        var lanes = endpoint.Lanes();
        endpoint._sendsByTcp = lanes.Any(lane => lane.SendsByTcp);
        if (peer != UInt128.Zero && worker.Reads is not null)
        {
            endpoint.ReadsByMessage = UcxLane.NeedMessagesToRead(lanes);
            worker.Answers!.Open(endpoint);
        }
        return endpoint;
    }

    internal unsafe UcsStatus BeginMove(
        TransferDirection direction, UcxMemory local, long offset, ulong remoteAddress, UcxRemoteKey key, long bytes, IUcxCompletion target)
    {
        if (Refusal() is not UcsStatus.Ok and var refused)
        {
            return refused;
        }
        if (ReadsByMessage && direction == TransferDirection.Read && local.IsHost)
        {
            return Worker.Reads!.Begin(this, local, offset, remoteAddress, (int)bytes, target);
        }
        var api = Worker.Context.Api;
        var request = Worker.Rent();
        var parameters = request.Parameters;
        parameters.AttributeMask |= UcpRequestParams.AttributeMemory;
        parameters.Memory = (void*)local.Handle.DangerousGetHandle(); // the caller holds the memory until the operation has ended
        var near = (byte*)local.Address + offset;
        var far = (void*)key.Handle.DangerousGetHandle();
        return Begin(request, direction == TransferDirection.Read
            ? api.Get((void*)_endpoint, near, (nuint)bytes, remoteAddress, far, &parameters)
            : api.Put((void*)_endpoint, near, (nuint)bytes, remoteAddress, far, &parameters), target);
    }

    internal UcsStatus BeginFlush(IUcxCompletion target)
    {
        if (Refusal() is not UcsStatus.Ok and var refused)
        {
            return refused;
        }
        return Flush(target);
    }

    /// <summary>Sends an eager active message. Both parts stay where they are until <paramref name="target"/> is told.</summary>
    /// <param name="datatype">Of the payload; 0: bytes.</param>
    internal unsafe UcsStatus BeginMessage(uint id, nint header, int headerBytes, nint payload, int payloadCount, IUcxCompletion target, ulong datatype = 0)
    {
        if (Refusal() is not UcsStatus.Ok and var refused)
        {
            return refused;
        }
        var request = Worker.Rent();
        var parameters = request.Parameters;
        parameters.AttributeMask |= UcpRequestParams.AttributeFlags;
        parameters.Flags = UcpRequestParams.FlagMessageEager;
        if (datatype != 0)
        {
            parameters.AttributeMask |= UcpRequestParams.AttributeDatatype;
            parameters.Datatype = datatype;
        }
        return Begin(request, Worker.Context.Api.SendMessage(
            (void*)_endpoint, id, (void*)header, (nuint)headerBytes, (void*)payload, (nuint)payloadCount, &parameters), target);
    }

    /// <summary>Closes; later calls do nothing. <see cref="DisposeAsync"/> ends when UCX has let go.</summary>
    internal void BeginClose()
    {
        if (_closing)
        {
            return;
        }
        _closing = true;
        EndMessages(_failure != UcsStatus.Ok ? _failure : UcsStatus.Canceled);
        // UCX's tcp (1.13 to 1.22) uses a connection after it has freed it when the peer's notice of the end and room to send come in one event
        // (uct_tcp_iface_handle_events, uct_tcp_cm_handle_conn_fin): so none is closed with bytes still to send, unless its peer takes none.
        var drained = new UcxDrained(this);
        if (_failure == UcsStatus.Ok && _sendsByTcp && Flush(drained) == UcsStatus.InProgress)
        {
            _drainLimit = Worker.Context.Options.Clock.CreateTimer(_ => Worker.Post(drained), null, Worker.Context.Options.DrainTimeout, Timeout.InfiniteTimeSpan);
            return;
        }
        CloseNow();
    }

    /// <summary>Closes with whatever is still to be sent; later calls do nothing.</summary>
    internal unsafe void CloseNow()
    {
        if (_closesNow)
        {
            return;
        }
        _closing = _closesNow = true;
        _drainLimit?.Dispose();
        EndMessages(_failure != UcsStatus.Ok ? _failure : UcsStatus.Canceled);
        foreach (var key in _keys)
        {
            key.Handle.Dispose();
        }
        _keys.Clear();
        var request = Worker.Rent();
        var parameters = request.Parameters;
        parameters.AttributeMask |= UcpRequestParams.AttributeFlags;
        parameters.Flags = UcpRequestParams.FlagCloseForce;
        var target = new UcxClosed(this);
        if (Begin(request, Worker.Context.Api.EndpointClose((void*)_endpoint, &parameters), target) != UcsStatus.InProgress)
        {
            EndClose();
        }
    }

    internal void EndClose()
    {
        _endpoint = 0;
        _self.Free();
        Worker.Remove(this);
        UcxHandleCounts.Endpoint(-1);
        _closed.TrySetResult();
    }

    /// <summary>Lets nobody wait for UCX any longer.</summary>
    internal void Abandon()
    {
        _drainLimit?.Dispose();
        _closed.TrySetResult();
    }

    internal Task<bool> ReleaseAsync(UcxRemoteKey key) => Worker.CallAsync(() =>
    {
        if (_keys.Remove(key))
        {
            key.Handle.Dispose();
        }
        return true;
    });

    private unsafe Task<UcsStatus> SendPinnedAsync(
        uint id, System.Buffers.MemoryHandle header, int headerBytes, System.Buffers.MemoryHandle payload, int payloadBytes)
    {
        var (headerAddress, payloadAddress) = ((nint)header.Pointer, (nint)payload.Pointer);
        return new UcxOneOperation(this, target => BeginMessage(id, headerAddress, headerBytes, payloadAddress, payloadBytes, target)).RunAsync();
    }

    private void EndMessages(UcsStatus status)
    {
        Worker.Reads?.Fail(this, status);
        Worker.Answers?.Close(this);
    }

    private unsafe UcsStatus Flush(IUcxCompletion target)
    {
        var request = Worker.Rent();
        var parameters = request.Parameters;
        return Begin(request, Worker.Context.Api.EndpointFlush((void*)_endpoint, &parameters), target);
    }

    private unsafe UcsStatus Begin(UcxRequest request, void* returned, IUcxCompletion target) => Worker.Count(request.Begin(returned, target));

    private UcsStatus Refusal() => _failure != UcsStatus.Ok ? _failure : _closing ? UcsStatus.Canceled : UcsStatus.Ok;

    private unsafe UcxRemoteKey Unpack(ReadOnlySpan<byte> packed)
    {
        var api = Worker.Context.Api;
        var status = Refusal();
        void* key = null;
        if (status == UcsStatus.Ok)
        {
            fixed (byte* bytes = packed)
            {
                status = (UcsStatus)api.EndpointUnpackKey((void*)_endpoint, bytes, &key);
            }
        }
        if (status != UcsStatus.Ok)
        {
            throw new UcxException($"ucp_ep_rkey_unpack of {packed.Length} bytes: {api.Describe(status)}.", status);
        }
        var remote = new UcxRemoteKey(this, new UcxHandle((nint)key, native => api.KeyDestroy((void*)native), UcxHandleCounts.Key));
        _keys.Add(remote);
        return remote;
    }

    private string Describe()
    {
        if (Refusal() != UcsStatus.Ok)
        {
            return "closed";
        }
        return string.Join(", ", Lanes().Select(lane => lane.Name).Distinct());
    }

    private unsafe List<UcxLane> Lanes() =>
        [.. UcxLibrary.Printed(stream => Worker.Context.Api.EndpointPrintInfo((void*)_endpoint, (void*)stream)).Split('\n').Select(UcxLane.TryParse).OfType<UcxLane>()];

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void OnError(void* argument, void* native, sbyte status)
    {
        var endpoint = (UcxEndpoint)GCHandle.FromIntPtr((nint)argument).Target!;
        endpoint._failure = endpoint._failure == UcsStatus.Ok ? (UcsStatus)status : endpoint._failure;
#pragma warning disable CA1031 // Called from native code, which an exception must not cross.
        try
        {
            endpoint.EndMessages((UcsStatus)status);
            endpoint._failed?.Invoke((UcsStatus)status);
        }
        catch (Exception exception)
        {
            UcxLog.CallbackFailed(endpoint.Worker.Logger, exception);
        }
#pragma warning restore CA1031
    }
}
