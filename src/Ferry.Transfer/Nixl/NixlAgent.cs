using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Ferry.Kv.Ucx;
using Ferry.Transfer.Nixl.SideChannel;
using Ferry.Transfer.Ucx;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Nixl;

/// <summary>Ferry as a NIXL agent: real NIXL agents load its metadata, read and write its memory and notify it, and it theirs, over UCX.</summary>
/// <remarks>
/// For engines that speak NIXL only. Between Ferry nodes use the agents with leases: NIXL has none, so bytes of a range that its owner has
/// used again look like any others. A peer whose UCX is not known to fit is refused before its address is touched.
/// </remarks>
public sealed class NixlAgent : INixlCommHandler, IAsyncDisposable
{
    // What peers tell over the side channel waits in a line of its own; a peer that tells faster than it is heard waits on its socket's log line.
    private const int ToldCountMax = 256;

    private readonly UcxContext _context;
    private readonly UcxWorker _worker;
    private readonly Lock _gate = new();
    private readonly List<NixlMemory> _memories = []; // under _gate
    private readonly ConcurrentDictionary<string, NixlPeer> _peers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly Channel<NixlNotification> _notifications;
    private readonly Channel<object> _told = Channel.CreateBounded<object>(ToldCountMax);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _hearing;
    private NixlCommListener? _listener;
    private byte[] _metadata;
    private int _disposed;

    private NixlAgent(NixlAgentOptions options, UcxContext context, UcxWorker worker)
    {
        Options = options;
        _context = context;
        _worker = worker;
        _notifications = Channel.CreateBounded<NixlNotification>(options.NotificationCountMax);
        _metadata = EncodeMetadata();
        _hearing = HearAsync(_stopping.Token);
    }

    public string Name => Options.Name;

    /// <summary>The UCX of this process.</summary>
    public UcxVersion UcxVersion => _context.Library.Version;

    /// <summary>The own metadata blob, as it is now: what another agent loads.</summary>
    public ReadOnlyMemory<byte> LocalMetadata => Volatile.Read(ref _metadata);

    /// <summary>Where the side channel listens; null without one.</summary>
    public IPEndPoint? SideChannel => _listener?.Endpoint;

    public IReadOnlyCollection<string> PeerNames => [.. _peers.Keys];

    internal NixlAgentOptions Options { get; }

    /// <summary>Starts UCX and, if asked for, the side channel.</summary>
    /// <exception cref="TransferConfigurationException">UCX is not there, or the options contradict themselves or this machine.</exception>
    public static async Task<NixlAgent> StartAsync(NixlAgentOptions options)
    {
        options.ThrowIfInvalid();
        // NIXL's contexts have the atomics too; what a worker can do is part of its address.
        var context = UcxContext.Create(options.Ucx, UcpFeatures.Atomic32 | UcpFeatures.Atomic64);
        UcxWorker worker;
        try
        {
            worker = await UcxWorker.StartAsync(context, options.Logger);
        }
        catch (UcxException exception)
        {
            context.Dispose();
            throw new TransferConfigurationException(exception.Message, exception);
        }
        var agent = new NixlAgent(options, context, worker);
        try
        {
            await worker.OnMessageAsync(NixlPeer.NotificationMessageId, (_, payload) => agent.Take(payload));
            agent._listener = options.SideChannel is { } sideChannel ? NixlCommListener.Start(sideChannel, agent) : null;
            return agent;
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }

    /// <summary>Registers memory; the metadata names it from now on.</summary>
    /// <param name="address">First byte; the caller keeps it allocated.</param>
    /// <param name="deviceId">0 for DRAM.</param>
    /// <exception cref="TransferConfigurationException">UCX cannot map it; the message says why.</exception>
    public NixlMemory Register(nint address, long bytes, ulong deviceId = 0)
    {
        UcxMemory mapped;
        try
        {
            mapped = _context.Map(address, bytes);
        }
        catch (UcxException exception)
        {
            throw new TransferConfigurationException(exception.Message, exception);
        }
        var memory = new NixlMemory(this, mapped, deviceId);
        lock (_gate)
        {
            _memories.Add(memory);
            Volatile.Write(ref _metadata, EncodeMetadata());
        }
        return memory;
    }

    /// <summary>Takes another agent's metadata and connects to it; again for one that is known, whose regions may have changed.</summary>
    public async Task<NixlPeerResult> LoadAsync(NixlMetadata metadata, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken);
        try
        {
            return await LoadOneAsync(metadata);
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Meets an agent by its side channel: fetches its metadata, loads it and sends the own.</summary>
    public async Task<NixlPeerResult> ConnectAsync(IPEndPoint sideChannel, CancellationToken cancellationToken)
    {
        var comm = Options.SideChannel ?? new NixlCommOptions { Limits = Options.Limits, Logger = Options.Logger };
        var (outcome, metadata) = await NixlCommClient.FetchAsync(sideChannel, comm, cancellationToken);
        if (metadata is null)
        {
            return new NixlPeerResult(outcome, null);
        }
        var loaded = await LoadAsync(metadata, cancellationToken);
        if (loaded.Peer is null)
        {
            return loaded;
        }
        outcome = await NixlCommClient.SendAsync(sideChannel, LocalMetadata, comm, cancellationToken);
        return outcome.IsSuccess ? loaded : new NixlPeerResult(outcome, null);
    }

    /// <summary>The next notification of any peer, in the order of each.</summary>
    /// <exception cref="ChannelClosedException">The agent was disposed.</exception>
    public ValueTask<NixlNotification> ReceiveAsync(CancellationToken cancellationToken) => _notifications.Reader.ReadAsync(cancellationToken);

    /// <summary>A loaded peer, or null.</summary>
    public NixlPeer? TryFind(string name) => _peers.GetValueOrDefault(name);

    void INixlCommHandler.Loaded(NixlMetadata metadata) => Tell(metadata, metadata.AgentName);

    void INixlCommHandler.Invalidated(string agentName) => Tell(agentName, agentName);

    /// <summary>Closes the side channel, every peer and UCX. Memory may be freed afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        if (_listener is not null)
        {
            await _listener.DisposeAsync();
        }
        await _stopping.CancelAsync();
        await _hearing;
        foreach (var peer in _peers.Values)
        {
            await peer.DisposeAsync();
        }
        _notifications.Writer.TryComplete();
        // The worker first: nothing reads or writes through it any more when the memory goes.
        await _worker.DisposeAsync();
        NixlMemory[] memories;
        lock (_gate)
        {
            memories = [.. _memories];
        }
        foreach (var memory in memories)
        {
            await memory.DisposeAsync();
        }
        _context.Dispose();
        _stopping.Dispose();
        _loading.Dispose();
    }

    internal bool Forget(NixlMemory memory)
    {
        lock (_gate)
        {
            var isKnown = _memories.Remove(memory);
            if (isKnown)
            {
                Volatile.Write(ref _metadata, EncodeMetadata());
            }
            return isKnown;
        }
    }

    internal void Forget(NixlPeer peer) => _peers.TryRemove(new KeyValuePair<string, NixlPeer>(peer.Name, peer));

    private async Task<NixlPeerResult> LoadOneAsync(NixlMetadata metadata)
    {
        var name = metadata.AgentName;
        if (string.Equals(name, Name, StringComparison.Ordinal))
        {
            return Refused(name, TransferError.ConnectedToSelf, $"The metadata is of an agent named {name}, as this one is.");
        }
        if (metadata.ConnectionOf(NixlMetadata.UcxBackend) is not { } connection)
        {
            return Refused(name, TransferError.Refused,
                $"It has no UCX backend, only {string.Join(", ", metadata.Connections.Select(one => one.Backend).DefaultIfEmpty("none at all"))}.");
        }
        if (UcxCompatibility.FindObjection(UcxVersion, UcxCompatibility.ReadFrom(metadata) ?? Options.PeerUcxVersion) is { } objection)
        {
            return Refused(name, TransferError.VersionMismatch, objection);
        }
        if (_peers.TryGetValue(name, out var known))
        {
            if (!known.IsLost && known.IsReachedBy(connection))
            {
                known.Update(metadata);
                return new NixlPeerResult(TransferOutcome.Success(TransferPhase.Handshake), known);
            }
            if (!known.IsLost)
            {
                return Refused(name, TransferError.Refused, "Another agent of that name is loaded. It has restarted, most likely: dispose of the old peer first.");
            }
            await known.DisposeAsync();
        }
        if (_peers.Count >= Options.PeerCountMax)
        {
            return Refused(name, TransferError.Overloaded, $"{Options.PeerCountMax} peers are loaded, the most allowed (PeerCountMax).");
        }
        try
        {
            var endpoint = await _worker.ConnectAsync(connection.Info, status => NixlLog.PeerGone(Options.Logger, name, _context.Api.Describe(status)));
            var peer = new NixlPeer(this, endpoint, metadata);
            _peers[name] = peer;
            NixlLog.PeerLoaded(Options.Logger, name, metadata.Sections.Sum(section => section.Regions.Count), _context.Library.Release);
            return new NixlPeerResult(TransferOutcome.Success(TransferPhase.Handshake), peer);
        }
        catch (UcxException exception)
        {
            return Refused(name, TransferError.Unreachable, exception.Message);
        }
    }

    private NixlPeerResult Refused(string name, TransferError error, string reason)
    {
        NixlLog.PeerRefused(Options.Logger, name, reason);
        return new NixlPeerResult(TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, error, $"NIXL agent {name}: {reason}"), null);
    }

    /// <summary>On the worker's thread.</summary>
    private void Take(ReadOnlySpan<byte> payload)
    {
        if (!NixlCodec.TryDecode(payload, Options.Limits, out NixlNotification? notification, out var error))
        {
            NixlLog.NotificationMalformed(Options.Logger, "(unknown)", error);
        }
        else if (!_notifications.Writer.TryWrite(notification))
        {
            NixlLog.NotificationDropped(Options.Logger, Options.NotificationCountMax, notification.AgentName);
        }
    }

    private void Tell(object told, string agentName)
    {
        if (!_told.Writer.TryWrite(told))
        {
            NixlLog.PeerRefused(Options.Logger, agentName, $"{ToldCountMax} agents are waiting to be loaded; it must say it again.");
        }
    }

    /// <summary>Loads and forgets agents as the side channel tells it.</summary>
    private async Task HearAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (var told in _told.Reader.ReadAllAsync(stopping))
            {
                if (told is NixlMetadata metadata)
                {
                    await LoadAsync(metadata, stopping); // a refusal has been logged
                }
                else if (told is string name && _peers.TryGetValue(name, out var peer))
                {
                    NixlLog.PeerGone(Options.Logger, name, "it said so.");
                    await peer.DisposeAsync();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent closes.
        }
    }

    private byte[] EncodeMetadata()
    {
        var sections = _memories.GroupBy(memory => memory.MemoryType)
            .Select(group => new NixlSection(NixlMetadata.UcxBackend, group.Key, [.. group.Select(memory => new NixlRegion(memory.Range, memory.Mapped.PackedKey))]));
        return NixlCodec.Encode(new NixlMetadata(
            Name, [new NixlConnection(NixlMetadata.UcxBackend, _worker.Address), UcxCompatibility.Tell(UcxVersion)], [.. sections]));
    }
}
