namespace Ferry.Cache.Remote.Clients;

/// <summary>A value on its way to a client; its bytes stay where they are until it is disposed.</summary>
public abstract class ClientValue : IDisposable
{
    public abstract ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>What was stored beside it; empty for none.</summary>
    public abstract ReadOnlyMemory<byte> Note { get; }

    public abstract void Dispose();
}
