using Ferry.Transfer.Reads;

namespace Ferry.Transfer;

/// <summary>What the agents of all media have: identity, regions, leases, and the loop that ends leases in time.</summary>
internal sealed class AgentCore : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _sweeping;
    private readonly Dictionary<AgentIdentity, int> _sessions = []; // open connections of each reader; its own lock
    private int _readsInFlight;

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

    public int ReadsInFlight => Volatile.Read(ref _readsInFlight);

    /// <summary>Called at every sweep: the medium's own checks.</summary>
    public event Action? Swept;

    /// <summary>Plans a read and counts it, or says why not. Each success is paired with one <see cref="EndRead"/>.</summary>
    public ReadPlan? TryBeginRead(ReadOnlyMemory<ReadDescriptor> descriptors, out TransferOutcome refusal)
    {
        if (Interlocked.Increment(ref _readsInFlight) > Options.Reads.ReadCountMax)
        {
            Interlocked.Decrement(ref _readsInFlight);
            refusal = TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, TransferError.Overloaded,
                $"{Options.Reads.ReadCountMax} reads are under way, the most allowed (Reads.ReadCountMax).");
            return null;
        }
        var plan = ReadPlan.TryCreate(descriptors, Options.Reads, Regions, out refusal);
        if (plan is null)
        {
            Interlocked.Decrement(ref _readsInFlight);
        }
        return plan;
    }

    /// <summary>A reader has connected. Each call is paired with one <see cref="CountSessionClosed"/>.</summary>
    public void CountSessionOpened(AgentIdentity reader)
    {
        lock (_sessions)
        {
            _sessions[reader] = _sessions.GetValueOrDefault(reader) + 1;
        }
    }

    /// <summary>A connection of a reader has ended; with its last one end the leases that it holds.</summary>
    public void CountSessionClosed(AgentIdentity reader)
    {
        lock (_sessions)
        {
            if (--_sessions[reader] > 0)
            {
                return;
            }
            _sessions.Remove(reader);
        }
        Leases.EndHeldBy(reader);
    }

    public void EndRead(ReadPlan plan)
    {
        plan.Release();
        Interlocked.Decrement(ref _readsInFlight);
    }

    /// <summary>Ends all leases, stops the loop and waits until no memory is in use. The medium has closed its connections before.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _sweeping;
        Leases.Close();
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
