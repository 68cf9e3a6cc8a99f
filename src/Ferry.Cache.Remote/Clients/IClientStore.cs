namespace Ferry.Cache.Remote.Clients;

/// <summary>The exchange as a client of another protocol sees it: its own keys, and for each the bytes that this client is to get.</summary>
/// <remarks>
/// Thread-safe. The fronts (RESP, <c>lm://</c>) speak to this and know nothing of records; what a key means, which shards serve it and whether they are
/// converted is decided behind it. <see cref="ExistsAsync"/> is true only for what <see cref="TryGetAsync"/> would deliver: a client of LMCache may block on a
/// GET that finds nothing.
/// </remarks>
public interface IClientStore
{
    ValueTask<bool> ExistsAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <returns>Null on a miss. The caller disposes the value once its bytes are sent.</returns>
    ValueTask<ClientValue?> TryGetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <summary>Makes room for a value that is still on its way, so that it is read from the socket straight into its place.</summary>
    /// <param name="valueBytes">Exact length of the value; may be 0.</param>
    /// <param name="note">What the protocol keeps beside the value; empty for none.</param>
    /// <param name="write">The caller fills it, then commits or disposes it. Null unless the outcome is <see cref="ClientPutOutcome.Ready"/>.</param>
    ClientPutOutcome BeginPut(ReadOnlySpan<byte> key, int valueBytes, ReadOnlySpan<byte> note, out ClientWrite? write);

    /// <returns>False when there was nothing under that key.</returns>
    ValueTask<bool> DeleteAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <summary>Drops everything that clients stored, in every tier that can delete.</summary>
    /// <returns>Records dropped.</returns>
    Task<long> ClearAsync(CancellationToken cancellationToken);

    /// <summary>Keys in memory now, in pieces: each call gives at most <paramref name="keysMax"/> keys and the cursor of the next piece, 0 after the last.</summary>
    /// <remarks>As Redis' SCAN: what is there from the first call to the last is given at least once; the rest may be.</remarks>
    (IReadOnlyList<byte[]> Keys, ulong Cursor) Scan(ulong cursor, int keysMax);

    /// <summary>Keys that clients can get from memory.</summary>
    long Count { get; }
}
