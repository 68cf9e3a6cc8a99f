namespace Ferry.Cache.Remote.Clients;

/// <summary>Room for a value: fill <see cref="Bytes"/> whole, then <see cref="CommitAsync"/>. Disposing without a commit gives the room back. One owner.</summary>
public abstract class ClientWrite : IDisposable
{
    /// <summary>Exactly the announced length.</summary>
    public abstract Memory<byte> Bytes { get; }

    /// <summary>Says that the next <paramref name="byteCount"/> bytes are in place, in order: their checksum is taken while they are warm.</summary>
    public abstract void Advance(int byteCount);

    /// <summary>Copies the next bytes to their place and advances over them.</summary>
    /// <exception cref="ArgumentException">More bytes than the value has left.</exception>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Makes the value visible. Every byte must have been advanced over.</summary>
    public abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}
