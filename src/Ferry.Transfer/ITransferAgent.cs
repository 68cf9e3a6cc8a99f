namespace Ferry.Transfer;

/// <summary>One process's end of KV transfer: what it lets others read and write, under which leases, and the peers it works with.</summary>
/// <remarks>
/// All agents run the same contract, whatever carries their bytes. Nothing that can go wrong between two machines is an exception here: it is
/// a <see cref="TransferOutcome"/> that names the phase and the side to blame. All members are thread-safe.
/// Disposing closes every peer and connection, ends every lease (<see cref="LeaseEnd.Closed"/>) and waits until no byte of any region is
/// in use; memory may be freed afterwards.
/// </remarks>
public interface ITransferAgent : IAsyncDisposable
{
    /// <summary>Who this is; the generation is new at every start.</summary>
    AgentIdentity Identity { get; }

    /// <summary>Where peers reach this agent, in the form that <see cref="ConnectAsync"/> takes.</summary>
    string Endpoint { get; }

    /// <summary>The grants under which peers may read or write <see cref="Register">registered</see> memory.</summary>
    LeaseTable Leases { get; }

    /// <summary>What is open now; all zero after disposal.</summary>
    TransferCounts Counts { get; }

    /// <summary>
    /// Makes native memory known: as the near end of own transfers and, under a lease, as the far end of a peer's. The caller keeps it
    /// allocated until <see cref="MemoryRegion.DisposeAsync"/> or the agent's disposal has ended. Memory of an accelerator needs the UCX medium, with its transport in UCX_TLS.
    /// </summary>
    /// <param name="address">First byte.</param>
    /// <param name="bytes">Length, at least 1.</param>
    /// <param name="backing">The file whose bytes these are, so that processes of this host can map them; null for memory of this process alone.</param>
    /// <exception cref="ArgumentException">A null address, a length below 1, or a range that wraps.</exception>
    MemoryRegion Register(nint address, long bytes, SharedBacking? backing = null);

    /// <summary>Connects to the agent at <paramref name="endpoint"/> and shakes hands. The caller owns the peer.</summary>
    Task<ConnectResult> ConnectAsync(string endpoint, CancellationToken cancellationToken);
}
