namespace Ferry.Cache.Remote.Redis;

/// <summary>Runs commands: a bounded number at a time, each with a deadline by size. Thread-safe.</summary>
/// <remarks>
/// A command cannot be called back: past its deadline the caller goes on and the command keeps its slot until it really ends, so that a server that hangs
/// never holds more than <see cref="RedisTierOptions.RequestsMax"/> of them. Nothing is tried again: the client makes a broken connection anew by itself, and
/// what failed meanwhile is a miss.
/// </remarks>
internal sealed class RedisRequests(RedisTierOptions options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(options.RequestsMax);

    /// <param name="what">For the error: <c>GET of 20972544 bytes</c>.</param>
    /// <param name="bytes">What the command moves: large ones get longer.</param>
    /// <param name="send">Must not touch what the caller may use again after a failure.</param>
    /// <exception cref="RedisTierException">The command failed.</exception>
    public async Task<T> SendAsync<T>(string what, long bytes, Func<Task<T>> send, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline(bytes), time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            await _slots.WaitAsync(linked.Token);
            var sent = ReleaseAfterAsync(send);
            return await sent.WaitAsync(linked.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(what, new TimeoutException());
        }
        catch (Exception error) when (error is not OperationCanceledException && !RedisFault.IsFull(error) && !RedisFault.IsReadOnly(error)) // The edge: the client throws many kinds.
        {
            throw Failed(what, error);
        }
    }

    public void Dispose() => _slots.Dispose();

    private RedisTierException Failed(string what, Exception error)
    {
        var why = RedisFault.Explain(error, options);
        return new RedisTierException($"{what} at {options.Location} failed: {why}{(why.EndsWith('?') ? "" : ".")}");
    }

    private async Task<T> ReleaseAfterAsync<T>(Func<Task<T>> send)
    {
        try
        {
            return await send();
        }
        finally
        {
            _slots.Release();
        }
    }

    private TimeSpan Deadline(long bytes)
    {
        var forBytes = TimeSpan.FromSeconds((double)bytes / options.BytesPerSecondMin);
        return forBytes > options.RequestDeadline ? forBytes : options.RequestDeadline;
    }
}
