namespace Ferry.Transfer.Ucx;

/// <summary>A peer's memory as one endpoint reaches it. Disposed with its endpoint, or earlier by <see cref="DisposeAsync"/>.</summary>
internal sealed class UcxRemoteKey(UcxEndpoint endpoint, UcxHandle handle) : IAsyncDisposable
{
    internal UcxHandle Handle { get; } = handle;

    internal UcxEndpoint Endpoint { get; } = endpoint;

    /// <summary>No operation may be using it.</summary>
    public async ValueTask DisposeAsync() => await Endpoint.ReleaseAsync(this);
}
