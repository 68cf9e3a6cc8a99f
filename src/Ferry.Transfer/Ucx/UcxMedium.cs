using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Ferry.Transfer.Media;
using Ferry.Transfer.Ucx.Native;
using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.Ucx;

/// <summary>Bytes by UCX: RDMA where the hosts have it, tcp, shared memory; a reader gets them from the owner's memory by itself.</summary>
/// <remarks>
/// The owner's worker has a thread of its own because UCX serves a read over tcp in the owner's process. A peer that knows the address of
/// this worker can read whatever is mapped; it is told only over a side channel whose both ends have proved the shared secret.
/// </remarks>
public sealed class UcxMedium : DataMedium
{
    /// <summary>As in the handshake.</summary>
    public const string MediumName = "ucx";

    private readonly ConcurrentDictionary<uint, UcxMemory> _memories = new();
    private readonly UcxContext _context;
    private readonly UcxWorker _worker;
    private readonly UcxMemory _probe;
    private readonly nint _probeBytes; // freed by DisposeAsync
    private readonly UInt128 _token;
    private readonly ILogger _logger;
    private int _links;
    private int _disposed;

    private UcxMedium(UcxContext context, UcxWorker worker, nint probeBytes, UInt128 token, ILogger logger)
    {
        _context = context;
        _worker = worker;
        _probeBytes = probeBytes;
        _token = token;
        _logger = logger;
        _probe = context.Map(probeBytes, UcxAddress.ProbeBytes);
    }

    public override string Name => MediumName;

    public override int NativeHandles => _memories.Count + Volatile.Read(ref _links) + (Volatile.Read(ref _disposed) == 0 ? 1 : 0);

    /// <summary>The transports that UCX may use here, such as <c>rc_mlx5/mlx5_0:1</c>.</summary>
    public IReadOnlyList<string> Resources { get; private init; } = [];

    internal UcxWorker Worker => _worker;

    /// <summary>Loads UCX and starts its worker.</summary>
    /// <exception cref="TransferConfigurationException">There is no UCX, or not with these transports; the message says what to change.</exception>
    public static async Task<UcxMedium> StartAsync(UcxOptions options, ILogger logger, IEntropy? entropy = null)
    {
        var context = UcxContext.Create(options);
        UcxWorker? worker = null;
        nint bytes = 0;
        try
        {
            var resources = context.Resources();
            worker = await UcxWorker.StartAsync(context, logger);
            (bytes, var token) = MakeProbe(entropy ?? SystemEntropy.Instance);
            await worker.ReadByMessagesAsync(token);
            var medium = new UcxMedium(context, worker, bytes, token, logger) { Resources = resources };
            medium.Publish(medium._probe);
            UcxLog.Started(logger, context.Library.Release, context.Library.Path,
                options.Transports ?? Environment.GetEnvironmentVariable("UCX_TLS") ?? "all", string.Join(", ", resources));
            return medium;
        }
        catch (UcxException exception)
        {
            await StopAsync(worker, bytes, context);
            throw new TransferConfigurationException(exception.Message, exception);
        }
        catch
        {
            await StopAsync(worker, bytes, context);
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        // Endpoints first, then the memory that their operations used.
        await _worker.DisposeAsync();
        foreach (var id in _memories.Keys)
        {
            Unmap(id);
        }
        _probe.Dispose();
        await StopAsync(null, _probeBytes, _context);
    }

    internal override bool OpensBothWays => true;

    internal override byte[]? Describe(AgentIdentity own)
    {
        var address = new UcxAddress(_context.Library.Version, (ulong)_probeBytes, _token, _probe.PackedKey, _worker.Address).TryEncode();
        if (address is null)
        {
            UcxLog.AddressTooLong(_logger, _worker.Address.Length);
        }
        return address;
    }

    internal override byte[]? AddRegion(MemoryRegion region)
    {
        try
        {
            var memory = _context.Map(region.Address, region.Bytes);
            _memories[region.Id] = memory;
            Publish(memory);
            region.MemoryType = memory.MemoryType;
            return memory.PackedKey;
        }
        catch (UcxException exception)
        {
            UcxLog.RegionNotMapped(_logger, region.Id, region.Bytes, exception.Message);
            return null;
        }
    }

    internal override void RemoveRegion(MemoryRegion region) => Unmap(region.Id);

    internal override async ValueTask<MediumOpening> OpenAsync(AgentIdentity peer, ReadOnlyMemory<byte> address, CancellationToken cancellationToken)
    {
        if (UcxAddress.Decode(address.Span) is not { } remote)
        {
            return new MediumOpening(null, "the peer's address is malformed");
        }
        var own = _context.Library.Version;
        if (remote.Version != own)
        {
            return new MediumOpening(null, $"the peer has UCX {remote.Version} and this node {own}, which do not understand each other's addresses; install one release on both");
        }
        UcxEndpoint? endpoint = null;
        try
        {
            endpoint = await _worker.ConnectAsync(remote.Worker, status => UcxLog.PeerFailed(_logger, peer, _context.Api.Describe(status)), remote.ProbeToken);
            if (await TryProbeAsync(endpoint, remote, cancellationToken) is not { } error)
            {
                var lanes = await endpoint.DescribeAsync();
                UcxLog.Connected(_logger, peer, lanes);
                Interlocked.Increment(ref _links);
                return new MediumOpening(new UcxRemoteMemory(this, endpoint), $"UCX {_context.Library.Release} by {lanes}{(endpoint.ReadsByMessage ? ", by messages" : "")}");
            }
            await endpoint.DisposeAsync();
            return new MediumOpening(null, error);
        }
        catch (UcxException exception)
        {
            if (endpoint is not null)
            {
                await endpoint.DisposeAsync();
            }
            return new MediumOpening(null, $"no transport of UCX_TLS reaches the peer ({exception.Message})");
        }
    }

    /// <summary>What UCX knows of an own region; null if it could not be mapped.</summary>
    internal UcxMemory? TryFind(MemoryRegion region) => _memories.GetValueOrDefault(region.Id);

    internal void CountLinkClosed() => Interlocked.Decrement(ref _links);

    // What UCX thinks of an address shows only when bytes move: those that the peer named are read, and must be what it said.
    private async Task<string?> TryProbeAsync(UcxEndpoint endpoint, UcxAddress remote, CancellationToken cancellationToken)
    {
        var (bytes, _) = MakeProbe(null);
        UcxMemory? memory = null;
        try
        {
            memory = _context.Map(bytes, UcxAddress.ProbeBytes);
            var key = await endpoint.UnpackKeyAsync(remote.ProbeKey);
            var status = await endpoint.MoveOrCloseAsync(
                TransferDirection.Read, [new UcxPiece(memory, 0, key, remote.ProbeAddress, UcxAddress.ProbeBytes)], cancellationToken);
            return status != UcsStatus.Ok
                ? $"a trial read failed: {_context.Api.Describe(status)}"
                : ReadToken(bytes) == remote.ProbeToken ? null : "a trial read brought other bytes than the peer has";
        }
        finally
        {
            memory?.Dispose();
            FreeProbe(bytes);
        }
    }

    // Before anybody is told of the memory: nobody waits for it.
    private void Publish(UcxMemory memory) => _ = _worker.CallAsync(() =>
    {
        _worker.Answers!.Publish(memory);
        return true;
    });

    private void Unmap(uint regionId)
    {
        if (_memories.TryRemove(regionId, out var memory))
        {
            _worker.CallAsync(() =>
            {
                _worker.Answers!.Withdraw(memory);
                return true;
            }).GetAwaiter().GetResult(); // Its bytes may be freed next.
            memory.Dispose();
        }
    }

    private static async Task StopAsync(UcxWorker? worker, nint probeBytes, UcxContext context)
    {
        if (worker is not null)
        {
            await worker.DisposeAsync();
        }
        FreeProbe(probeBytes);
        context.Dispose();
    }

    private static unsafe (nint Bytes, UInt128 Token) MakeProbe(IEntropy? entropy)
    {
        // A page of its own: registering memory for RDMA takes whole pages.
        var bytes = (byte*)NativeMemory.AlignedAlloc(4096, 4096);
        var span = new Span<byte>(bytes, 4096);
        span.Clear();
        entropy?.Fill(span[..UcxAddress.ProbeBytes]);
        return ((nint)bytes, ReadToken((nint)bytes));
    }

    private static unsafe UInt128 ReadToken(nint bytes) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(new ReadOnlySpan<byte>((byte*)bytes, UcxAddress.ProbeBytes));

    private static unsafe void FreeProbe(nint bytes)
    {
        if (bytes != 0)
        {
            NativeMemory.AlignedFree((void*)bytes);
        }
    }
}
