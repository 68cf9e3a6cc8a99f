using System.Buffers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers;

/// <summary>Stands between the cache and a tier: nothing that the tier does or fails to do reaches a request as more than a miss.</summary>
/// <remarks>
/// Every operation has a deadline. One that does not end by it is abandoned: the caller goes on, while a reference keeps the memory that the
/// operation may still touch until it really ends. Failures open a circuit breaker; that is logged once for each time it opens.
/// </remarks>
public sealed class GuardedTier : IAsyncDisposable
{
    private readonly IKvTier _tier;
    private readonly TierGuardOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CircuitBreaker _breaker;
    private int _abandoned;
    private long _timeouts;

    /// <param name="tier">Owned from now on.</param>
    public GuardedTier(IKvTier tier, TierGuardOptions options, TimeProvider time, ILogger<GuardedTier> logger)
    {
        _tier = tier;
        _options = options;
        _time = time;
        _logger = logger;
        _breaker = new CircuitBreaker(options, time);
    }

    public string Name => _tier.Name;

    public TierCapabilities Capabilities => _tier.Capabilities;

    public TierCounts Counts => _tier.Counts;

    /// <summary>True while the tier is left alone.</summary>
    public bool IsOff => _breaker.IsOpen;

    public long Failures => _breaker.Failures;

    public long Timeouts => Volatile.Read(ref _timeouts);

    /// <summary>As <see cref="IKvTier.FindAsync"/>; empty when the tier is off.</summary>
    public async Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken) =>
        await GuardAsync(token => _tier.FindAsync(key, token), [], default, cancellationToken);

    /// <summary>As <see cref="IKvTier.ReadAsync"/>; <see cref="TierReadOutcome.Unavailable"/> when the tier is off.</summary>
    public Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken) => GuardAsync(
        token => _tier.ReadAsync(record, destination, token), TierRead.Of(TierReadOutcome.Unavailable), destination, cancellationToken);

    /// <summary>As <see cref="IKvTier.PutAsync"/>; <see cref="TierPutOutcome.Unavailable"/> when the tier is off.</summary>
    public Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken) => GuardAsync(
        token => _tier.PutAsync(header, record, token), TierPutOutcome.Unavailable, record, cancellationToken);

    /// <summary>As <see cref="IKvTier.DeleteAsync"/>; 0 when the tier is off.</summary>
    public Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken) =>
        GuardAsync(token => _tier.DeleteAsync(key, token), 0, default, cancellationToken);

    /// <summary>As <see cref="IKvTier.MeasureAsync"/>; null when the tier is off.</summary>
    public Task<TierUsage?> MeasureAsync(CancellationToken cancellationToken) =>
        GuardAsync(async token => (TierUsage?)await _tier.MeasureAsync(token), null, default, cancellationToken);

    public ValueTask DisposeAsync() => _tier.DisposeAsync();

    private async Task<T> GuardAsync<T>(
        Func<CancellationToken, Task<T>> operate, T otherwise, ReadOnlyMemory<byte> touched, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Volatile.Read(ref _abandoned) >= _options.AbandonedMax || !_breaker.TryEnter())
        {
            return otherwise;
        }
        var deadline = new CancellationTokenSource(_options.Deadline, _time);
        var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var token = linked.Token;
        var pin = touched.Pin(); // Until the operation really ends: a late write must not meet somebody else's record.
        // Off this thread: a file system that hangs in open() must not take its caller along.
        var operation = Task.Run(() => operate(token), CancellationToken.None);
        try
        {
            // A tier that honours the token ends at the deadline by itself; one that does not is abandoned.
            var result = await operation.WaitAsync(token);
            if (_breaker.Succeeded())
            {
                CacheLog.TierBack(_logger, Name, _breaker.Failures);
            }
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _breaker.Withdrawn();
            throw;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            Interlocked.Increment(ref _timeouts);
            Fail($"no answer within {_options.Deadline}");
            return otherwise;
        }
        catch (Exception error) // The edge: whatever a tier throws is a miss.
        {
            Fail(error.Message);
            return otherwise;
        }
        finally
        {
            if (operation.IsCompleted)
            {
                LetGo(pin, deadline, linked);
            }
            else
            {
                Interlocked.Increment(ref _abandoned);
                _ = LetGoLaterAsync(operation, pin, deadline, linked); // Bounded by AbandonedMax; waiting for it is what the guard is there to avoid.
            }
        }
    }

    private void Fail(string reason)
    {
        if (_breaker.Failed() is { } openFor)
        {
            CacheLog.TierOff(_logger, Name, openFor, reason);
        }
    }

    private async Task LetGoLaterAsync(Task operation, MemoryHandle pin, CancellationTokenSource deadline, CancellationTokenSource linked)
    {
        await operation.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        LetGo(pin, deadline, linked);
        Interlocked.Decrement(ref _abandoned);
    }

    private static void LetGo(MemoryHandle pin, CancellationTokenSource deadline, CancellationTokenSource linked)
    {
        pin.Dispose();
        linked.Dispose();
        deadline.Dispose();
    }
}
