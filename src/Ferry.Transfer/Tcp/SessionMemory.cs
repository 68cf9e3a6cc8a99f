using Ferry.Transfer.Media;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Tcp;

/// <summary>The way into the memory of a peer that has connected to this agent, opened when its first write is to be fetched, or at once.</summary>
internal sealed class SessionMemory(MediaTable media, PeerMetadata peer) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private MediumOpening? _opened;
    private Task _opensEarly = Task.CompletedTask;
    private bool _closed; // guarded by _opening

    /// <summary>Opens it now, beside the session, if the medium wants that.</summary>
    public void Begin(CancellationToken ending)
    {
        if (media.OpensBothWays(peer))
        {
            _opensEarly = OpenEarlyAsync(ending);
        }
    }

    /// <summary>Closes it before the session ends: nothing of the peer's reaches this side's memory by it any more.</summary>
    public async Task CloseAsync()
    {
        await _opening.WaitAsync();
        try
        {
            _closed = true;
            if (_opened?.Memory is { } memory)
            {
                await memory.DisposeAsync();
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Null and why, if no medium of both reaches the peer. Asked once; the answer stays.</summary>
    public async ValueTask<(RemoteMemory? Memory, string Reason)> OpenAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_closed)
            {
                return (null, "the session has ended");
            }
            _opened ??= (await media.OpenAsync(peer, cancellationToken)).Opening;
            return (_opened.Value.Memory, _opened.Value.Reason);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Only once no data connection of the session is left.</summary>
    public async ValueTask DisposeAsync()
    {
        await _opensEarly;
        await CloseAsync();
        _opening.Dispose();
    }

    private async Task OpenEarlyAsync(CancellationToken ending)
    {
        try
        {
            await OpenAsync(ending);
        }
        catch (OperationCanceledException)
        {
            // The session has ended already.
        }
    }
}
