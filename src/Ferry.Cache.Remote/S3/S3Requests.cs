namespace Ferry.Cache.Remote.S3;

/// <summary>Runs requests: a bounded number at a time, each with an idle time-out and a deadline by size, tried again where that may help. Thread-safe.</summary>
internal sealed class S3Requests(S3TierOptions options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(options.RequestsMax);
    private long _retries;

    /// <summary>Tries after the first, all requests together.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <summary>For what somebody waits for: past its deadline it is given up.</summary>
    /// <param name="what">For the error: <c>GET of 20972544 bytes</c>.</param>
    /// <param name="bytes">What the request moves: large ones get longer.</param>
    /// <param name="send">One try. It reports progress and observes the token of what it is given.</param>
    /// <exception cref="S3TierException">The request failed for good.</exception>
    public Task<T> SendAsync<T>(string what, long bytes, Func<ProgressDeadline, Task<T>> send, CancellationToken cancellationToken)
    {
        var deadline = Deadline(bytes, options.BytesPerSecondMin);
        return RunAsync(what, () => new ProgressDeadline(options.IdleTimeout, deadline, deadline, time, cancellationToken), send, cancellationToken);
    }

    /// <summary>For what is written behind: as long as bytes move it goes on, however slowly; only the wait for the answer has a deadline.</summary>
    /// <inheritdoc cref="SendAsync"/>
    public Task<T> UploadAsync<T>(string what, long bytes, Func<ProgressDeadline, Task<T>> send, CancellationToken cancellationToken)
    {
        var answer = Deadline(bytes, options.PutBytesPerSecondMin);
        return RunAsync(what, () => new ProgressDeadline(options.IdleTimeout, answer, Timeout.InfiniteTimeSpan, time, cancellationToken), send, cancellationToken);
    }

    public void Dispose() => _slots.Dispose();

    private async Task<T> RunAsync<T>(string what, Func<ProgressDeadline> begin, Func<ProgressDeadline, Task<T>> send, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            S3Fault fault;
            await _slots.WaitAsync(cancellationToken);
            try
            {
                using var progress = begin();
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

    private TimeSpan Deadline(long bytes, long bytesPerSecondMin)
    {
        var forBytes = TimeSpan.FromSeconds((double)bytes / bytesPerSecondMin);
        return forBytes > options.RequestDeadline ? forBytes : options.RequestDeadline;
    }

    /// <summary>Full jitter: anywhere up to the doubled pause.</summary>
    private TimeSpan Pause(int tries)
    {
        var longest = Math.Min(options.RetryPause.TotalMilliseconds * (1 << (tries - 1)), options.RetryPauseMax.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(longest * options.Jitter());
    }
}
