namespace Ferry.Cache.Remote.S3;

/// <summary>Runs requests: a bounded number at a time, each with a deadline by size and an idle time-out, tried again where that may help. Thread-safe.</summary>
internal sealed class S3Requests(S3TierOptions options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(options.RequestsMax);
    private long _retries;

    /// <summary>Tries after the first, all requests together.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <param name="what">For the error: <c>PUT of 20972544 bytes</c>.</param>
    /// <param name="bytes">What the request moves: large ones get longer.</param>
    /// <param name="send">One try. It reports progress and observes the token of what it is given.</param>
    /// <exception cref="S3TierException">The request failed for good.</exception>
    public async Task<T> SendAsync<T>(string what, long bytes, Func<ProgressDeadline, Task<T>> send, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            S3Fault fault;
            await _slots.WaitAsync(cancellationToken);
            try
            {
                using var progress = new ProgressDeadline(options.IdleTimeout, Deadline(bytes), time, cancellationToken);
                try
                {
                    return await send(progress);
                }
                catch (Exception error) when (!cancellationToken.IsCancellationRequested) // The edge: the SDK throws many kinds.
                {
                    fault = S3Fault.Of(error, progress, options);
                }
            }
            finally
            {
                _slots.Release();
            }
            cancellationToken.ThrowIfCancellationRequested();
            if (!fault.IsWorthRetry || tries > options.RetriesMax)
            {
                var often = tries > 1 ? $" (tried {tries} times)" : "";
                throw new S3TierException($"{what} on bucket {options.Location.Bucket} at {options.Location.Endpoint.GetLeftPart(UriPartial.Authority)} failed{often}: {fault.What}{(fault.What.EndsWith('?') ? "" : ".")}");
            }
            Interlocked.Increment(ref _retries);
            await Task.Delay(Pause(tries), time, cancellationToken);
        }
    }

    public void Dispose() => _slots.Dispose();

    private TimeSpan Deadline(long bytes)
    {
        var forBytes = TimeSpan.FromSeconds((double)bytes / options.BytesPerSecondMin);
        return forBytes > options.RequestDeadline ? forBytes : options.RequestDeadline;
    }

    /// <summary>Full jitter: anywhere up to the doubled pause.</summary>
    private TimeSpan Pause(int tries)
    {
        var longest = Math.Min(options.RetryPause.TotalMilliseconds * (1 << (tries - 1)), options.RetryPauseMax.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(longest * options.Jitter());
    }
}
