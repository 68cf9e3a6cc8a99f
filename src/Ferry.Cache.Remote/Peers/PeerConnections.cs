using System.Collections.Concurrent;

namespace Ferry.Cache.Remote.Peers;

/// <summary>Connections to one peer, made when needed and kept. Thread-safe.</summary>
internal sealed class PeerConnections(PeerTierOptions options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentStack<PeerConnection> _idle = new();
    private readonly SemaphoreSlim _places = new(options.ConnectionsMax);
    private volatile bool _isClosed;

    /// <summary>Puts one question. A kept connection that turns out to be dead, since the peer has restarted, is replaced by a new one.</summary>
    /// <param name="byteCount">What comes, about.</param>
    /// <param name="answerTimeout">Longest time before the answer, and within it, in which nothing comes.</param>
    /// <exception cref="PeerException">There was no usable answer in time.</exception>
    public async Task<T> AskAsync<T>(Func<PeerConnection, ProgressDeadline, Task<T>> ask, long byteCount, TimeSpan answerTimeout, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        var whole = answerTimeout + options.AnswerTimeout + TimeSpan.FromSeconds((double)byteCount / options.BytesPerSecondMin);
        using var deadline = new ProgressDeadline(answerTimeout, answerTimeout, whole, time, cancellationToken);
        try
        {
            if (_idle.TryPop(out var kept))
            {
                try
                {
                    return await AskAsync(kept, ask, deadline);
                }
                catch (IOException) when (!kept.HasAnswered)
                {
                    Clear(); // Those kept beside it are as old.
                }
            }
            return await AskAsync(await OpenAsync(deadline.Token), ask, deadline);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PeerException($"no answer within {(deadline.IsLate ? whole : answerTimeout)} ({deadline.MovedBytes} bytes of it came)");
        }
        catch (IOException error) when (error is not PeerException)
        {
            throw new PeerException(error.Message);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose()
    {
        _isClosed = true;
        Clear();
    }

    private async Task<T> AskAsync<T>(PeerConnection connection, Func<PeerConnection, ProgressDeadline, Task<T>> ask, ProgressDeadline deadline)
    {
        try
        {
            connection.Begin();
            var answer = await ask(connection, deadline);
            _idle.Push(connection);
            if (_isClosed)
            {
                Clear();
            }
            return answer;
        }
        catch
        {
            connection.Dispose(); // What is still on its way would be taken for the next answer.
            throw;
        }
    }

    private async Task<PeerConnection> OpenAsync(CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.AnswerTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            return await PeerConnection.OpenAsync(options, time, linked.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PeerException($"it did not take a connection within {options.AnswerTimeout}");
        }
    }

    private void Clear()
    {
        while (_idle.TryPop(out var connection))
        {
            connection.Dispose();
        }
    }
}
