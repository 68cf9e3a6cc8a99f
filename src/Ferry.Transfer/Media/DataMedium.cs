namespace Ferry.Transfer.Media;

/// <summary>A way for bytes to move beside TCP: shared memory, UCX. The agent's connections ask, hold and check; the medium only copies.</summary>
/// <remarks>
/// One object belongs to one agent, which disposes it last. Leases are the owner's business in every medium: it holds lease and memory from its
/// answer to a question until it hears that the bytes have moved (or the connection breaks), and checks the lease once more then.
/// </remarks>
public abstract class DataMedium : IAsyncDisposable
{
    /// <summary>As in the handshake's list of media; ASCII, such as <c>shm</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Mappings, descriptors, library objects that are open now.</summary>
    public abstract int NativeHandles { get; }

    /// <summary>
    /// Whether the owner opens the way to a reader too, as soon as it has connected: what a reader that vanished still asks for is then
    /// refused by closing that way, before its memory is let go.
    /// </summary>
    internal virtual bool OpensBothWays => false;

    /// <summary>What peers are told in the handshake; null when this process cannot offer the medium.</summary>
    internal abstract byte[]? Describe(AgentIdentity own);

    /// <summary>How a peer reaches a region, or null if it cannot by this medium. Called once for a region, before anybody may ask for it.</summary>
    internal abstract byte[]? AddRegion(MemoryRegion region);

    /// <summary>Nobody uses the region any more.</summary>
    internal abstract void RemoveRegion(MemoryRegion region);

    /// <summary>Opens the way into the memory of a peer, or says in <see cref="MediumOpening.Reason"/> why there is none.</summary>
    /// <param name="address">What the peer's <see cref="Describe"/> gave.</param>
    internal abstract ValueTask<MediumOpening> OpenAsync(AgentIdentity peer, ReadOnlyMemory<byte> address, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
