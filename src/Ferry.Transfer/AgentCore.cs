using Ferry.Transfer.OneSided;

namespace Ferry.Transfer;

/// <summary>What the agents of all media have: identity, regions, leases, and the loop that ends leases in time.</summary>
internal sealed class AgentCore : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _sweeping;
    private readonly Dictionary<AgentIdentity, int> _sessions = []; // open connections of each peer; its own lock
    private int _transfersInFlight;

    public AgentCore(TransferAgentOptions options)
    {
        options.ThrowIfInvalid();
        Options = options;
        Identity = new AgentIdentity(options.EngineId, options.Entropy.NextId());
        Regions = new RegionTable(options.RegionCountMax);
        Leases = new LeaseTable(Identity.Generation, Regions, options.Leases, options.Clock, options.Entropy);
        _sweeping = SweepAsync();
    }

    public TransferAgentOptions Options { get; }

    public AgentIdentity Identity { get; }

    public RegionTable Regions { get; }

    public LeaseTable Leases { get; }

    public int TransfersInFlight => Volatile.Read(ref _transfersInFlight);

    /// <summary>Called at every sweep: the medium's own checks.</summary>
    public event Action? Swept;

    /// <summary>Plans a transfer and counts it, or says why not. Each success is paired with one <see cref="End"/>.</summary>
    public TransferPlan? TryBegin(
        TransferDirection direction, ReadOnlyMemory<TransferDescriptor> descriptors, Func<long, int> segmentBytesOf, bool reachesAccelerators,
        out TransferOutcome refusal, InPlaceRead? inPlace = null)
    {
        if (Interlocked.Increment(ref _transfersInFlight) > Options.Transfers.TransferCountMax)
        {
            Interlocked.Decrement(ref _transfersInFlight);
            refusal = TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, TransferError.Overloaded,
                $"{Options.Transfers.TransferCountMax} transfers are under way, the most allowed (Transfers.TransferCountMax).");
            return null;
        }
        var plan = TransferPlan.TryCreate(direction, descriptors, Options.Transfers, segmentBytesOf, reachesAccelerators, Regions, out refusal, inPlace);
        if (plan is null)
        {
            Interlocked.Decrement(ref _transfersInFlight);
        }
        return plan;
    }

    /// <summary>A peer has connected. Each call is paired with one <see cref="CountSessionClosed"/>.</summary>
    public void CountSessionOpened(AgentIdentity peer)
    {
        lock (_sessions)
        {
            _sessions[peer] = _sessions.GetValueOrDefault(peer) + 1;
        }
    }

    /// <summary>A connection of a peer has ended; with its last one end the leases that it holds.</summary>
    public void CountSessionClosed(AgentIdentity peer)
    {
        lock (_sessions)
        {
            if (--_sessions[peer] > 0)
            {
                return;
            }
            _sessions.Remove(peer);
        }
        Leases.EndHeldBy(peer);
    }

    public void End(TransferPlan plan)
    {
        plan.Release();
        Interlocked.Decrement(ref _transfersInFlight);
    }

    /// <summary>Ends all leases, stops the loop and waits until no memory is in use and every owner has its memory back. The medium has closed its connections before.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _sweeping;
        await Leases.CloseAsync();
        await Regions.CloseAsync();
        _stopping.Dispose();
    }

    private async Task SweepAsync()
    {
        using var timer = new PeriodicTimer(Options.SweepInterval, Options.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                Leases.SweepExpired();
                Swept?.Invoke();
            }
        }
        catch (OperationCanceledException)
        {
            // The agent closes.
        }
    }
}
