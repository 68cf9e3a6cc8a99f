using System.Buffers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers;

/// <summary>Stands between the cache and a tier: nothing that the tier does or fails to do reaches a request as more than a miss.</summary>
/// <remarks>
/// Every operation has a deadline, but for puts into a tier that watches them itself (<see cref="TierCapabilities.EndsStalledPuts"/>). One that does not end by it
/// is abandoned: the caller goes on, while a reference keeps the memory that the operation may still touch until it really ends. Failures open a circuit breaker, one for reading and one for writing (a directory may be full or
/// read-only and yet serve); that is logged once for each time it opens.
/// </remarks>
public sealed class GuardedTier : IAsyncDisposable
{
    private readonly IKvTier _tier;
    private readonly TierGuardOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CircuitBreaker _reading;
    private readonly CircuitBreaker _writing;
    private int _abandoned;
    private long _timeouts;

    /// <param name="tier">Owned from now on.</param>
    public GuardedTier(IKvTier tier, TierGuardOptions options, TimeProvider time, ILogger<GuardedTier> logger)
    {
        _tier = tier;
        _options = options;
        _time = time;
        _logger = logger;
        _reading = new CircuitBreaker(options, time);
        _writing = new CircuitBreaker(options, time);
    }

    public string Name => _tier.Name;

    public string Kind => _tier.Kind;

    public TierCapabilities Capabilities => _tier.Capabilities;

    public TierCounts Counts => _tier.Counts;

    /// <summary>True while nothing is read from the tier.</summary>
    public bool IsReadingOff => _reading.IsOpen;

    /// <summary>True while nothing is written to the tier.</summary>
    public bool IsWritingOff => _writing.IsOpen;

    public long Failures => _reading.Failures + _writing.Failures;

    public long Timeouts => Volatile.Read(ref _timeouts);

    /// <summary>How fast the tier has been.</summary>
    public TierMeter Meter { get; } = new();

    /// <summary>As <see cref="IKvTier.FindAsync"/>; empty when the tier is off.</summary>
    public async Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken) =>
        await GuardAsync(_reading, token => _tier.FindAsync(key, token), [], default, cancellationToken, (_, time) => Meter.Found(time));

    /// <summary>As <see cref="IKvTier.FindManyAsync"/>; empty answers when the tier is off.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        var found = await GuardAsync(_reading, token => _tier.FindManyAsync(keys, token), [], default, cancellationToken, (_, time) => Meter.Found(time));
        return found.Count == keys.Count ? found : [.. keys.Select(_ => (IReadOnlyList<TierRecord>)[])];
    }

    /// <summary>As <see cref="IKvTier.ReadAsync"/>; <see cref="TierReadOutcome.Unavailable"/> when the tier is off.</summary>
    public Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken) => GuardAsync(
        _reading, token => _tier.ReadAsync(record, destination, token), TierRead.Of(TierReadOutcome.Unavailable), destination, cancellationToken, (read, time) =>
        {
            if (read.Outcome == TierReadOutcome.Read)
            {
                Meter.Read(record.RecordBytes, time, _time.GetTimestamp());
            }
        });

    /// <summary>As <see cref="IKvTier.PutAsync"/>; <see cref="TierPutOutcome.Unavailable"/> when the tier is off.</summary>
    public Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken) => GuardAsync(
        _writing, token => _tier.PutAsync(header, record, token), TierPutOutcome.Unavailable, record, cancellationToken, (_, time) => Meter.Timed(TierOperation.Put, time),
        Capabilities.HasFlag(TierCapabilities.EndsStalledPuts) ? Timeout.InfiniteTimeSpan : null);

    /// <summary>As <see cref="IKvTier.DeleteAsync"/>; 0 when the tier is off.</summary>
    public Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken) =>
        GuardAsync(_writing, token => _tier.DeleteAsync(key, token), 0, default, cancellationToken, (_, time) => Meter.Timed(TierOperation.Delete, time));

    /// <summary>As <see cref="IKvTier.ClearAsync"/>, without a deadline: it may take long, and only people ask for it.</summary>
    public Task<long> ClearAsync(string? salt, CancellationToken cancellationToken) => _tier.ClearAsync(salt, cancellationToken);

    /// <summary>As <see cref="IKvTier.ReadListedAsync"/>, without a deadline: as the walk that it belongs to.</summary>
    public Task<TierRead> ReadListedAsync(TierListing listing, Memory<byte> destination, CancellationToken cancellationToken) =>
        _tier.ReadListedAsync(listing, destination, cancellationToken);

    /// <summary>As <see cref="IKvTier.ListAsync"/>, without a deadline.</summary>
    public IAsyncEnumerable<TierListing> ListAsync(CancellationToken cancellationToken) => _tier.ListAsync(cancellationToken);

    /// <summary>As <see cref="IKvTier.MeasureAsync"/>; null when the tier is off.</summary>
    public Task<TierUsage?> MeasureAsync(CancellationToken cancellationToken) =>
        GuardAsync(_reading, async token => (TierUsage?)await _tier.MeasureAsync(token), null, default, cancellationToken);

    public ValueTask DisposeAsync() => _tier.DisposeAsync();

    private async Task<T> GuardAsync<T>(
        CircuitBreaker breaker, Func<CancellationToken, Task<T>> operate, T otherwise, ReadOnlyMemory<byte> touched, CancellationToken cancellationToken,
        Action<T, TimeSpan>? onDone = null, TimeSpan? deadlineOrNone = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Volatile.Read(ref _abandoned) >= _options.AbandonedMax || !breaker.TryEnter())
        {
            return otherwise;
        }
        var budget = deadlineOrNone ?? _options.DeadlineFor(touched.Length);
        var deadline = new CancellationTokenSource(budget, _time);
        var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var token = linked.Token;
        var pin = touched.Pin(); // Until the operation really ends: a late write must not meet somebody else's record.
        var begun = _time.GetTimestamp();
        // Off this thread: a file system that hangs in open() must not take its caller along.
        var operation = Task.Run(() => operate(token), CancellationToken.None);
        try
        {
            // A tier that honours the token ends at the deadline by itself; one that does not is abandoned.
            var result = await operation.WaitAsync(token);
            if (breaker.Succeeded())
            {
                CacheLog.TierBack(_logger, Name, Direction(breaker), breaker.Failures);
            }
            onDone?.Invoke(result, _time.GetElapsedTime(begun));
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            breaker.Withdrawn();
            throw;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            Interlocked.Increment(ref _timeouts);
            Fail(breaker, $"no answer within {budget}");
            return otherwise;
        }
        catch (Exception error) // The edge: whatever a tier throws is a miss.
        {
            Fail(breaker, error.Message);
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

    private void Fail(CircuitBreaker breaker, string reason)
    {
        if (breaker.Failed() is { } openFor)
        {
            CacheLog.TierOff(_logger, Name, Direction(breaker), openFor, reason);
        }
    }

    private string Direction(CircuitBreaker breaker) => ReferenceEquals(breaker, _reading) ? "reading" : "writing";

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
