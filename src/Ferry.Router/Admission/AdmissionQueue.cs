using Ferry.Router.Security;

namespace Ferry.Router.Admission;

/// <summary>Lets a bounded number of requests in at a time; a bounded number waits. Tenants share by weight, and a priority moves a request forward.</summary>
/// <remarks>
/// Weighted fair queueing over tokens: each request gets the (virtual) time at which it would be done if its tenant had its share alone,
/// and the earliest goes first. A priority shifts that time by so many tokens a step, so that nobody starves: whoever waits is overtaken
/// only by what is worth fewer tokens than the shift.
/// </remarks>
public sealed class AdmissionQueue
{
    private const int BytesPerToken = 4;   // English text; only the relation of costs matters
    private const int BaseTokens = 64;     // a request without a body costs something, too
    private const double RateShare = 0.05;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

    private readonly Func<RouterOptions> _options;
    private readonly TimeProvider _clock;
    private readonly Lock _queueing = new();
    private readonly PriorityQueue<Waiter, (double Finish, long Order)> _waiting = new();
    private readonly Dictionary<string, TenantShare> _tenants = new(StringComparer.Ordinal);
    private int _inFlight;
    private long _order;
    private double _virtualTime;
    private double _secondsBetweenLeaves = 0.1;
    private long _lastLeave;

    /// <param name="options">Asked each time: bounds may change while requests wait.</param>
    public AdmissionQueue(Func<RouterOptions> options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        _lastLeave = clock.GetTimestamp();
    }

    public int InFlight { get { lock (_queueing) { return _inFlight; } } }

    public int Waiting { get { lock (_queueing) { return _waiting.Count; } } }

    /// <summary>Waits for a place. Call it before the body is read, so that waiting requests hold no bodies.</summary>
    /// <param name="priority">vLLM's meaning: a lower number is served earlier.</param>
    /// <param name="bodyBytes">Announced length of the body: what the request will cost, roughly; null when it is not announced.</param>
    /// <exception cref="RouterException">429 with <see cref="RouterException.RetryAfter"/>: the queue is full, or the wait was too long.</exception>
    public ValueTask<AdmissionPlace> EnterAsync(Tenant tenant, int priority, long? bodyBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var options = _options();
        Waiter waiter;
        lock (_queueing)
        {
            if (_inFlight < options.MaxInFlight && _waiting.Count == 0)
            {
                _inFlight++;
                return ValueTask.FromResult(new AdmissionPlace(this, TimeSpan.Zero));
            }
            var share = ShareOf(tenant);
            if (_waiting.Count >= options.MaxQueue)
            {
                throw TooMany($"{_inFlight} requests are in flight and {_waiting.Count} wait, which is this router's limit. Try again.");
            }
            if (share.Waiting >= options.MaxQueuePerTenant)
            {
                throw TooMany($"{share.Waiting} requests of '{tenant.Name}' wait, which is its limit at this router. Try again.");
            }
            var start = Math.Max(_virtualTime, share.Finish);
            share.Finish = start + (((bodyBytes ?? 0) / BytesPerToken) + BaseTokens) / tenant.Weight;
            share.Waiting++;
            waiter = new Waiter(share, start, _clock.GetTimestamp());
            _waiting.Enqueue(waiter, (share.Finish + ((double)Math.Clamp(priority, -1000, 1000) * options.PriorityTokens), _order++));
            LetIn(options);
        }
        return WaitAsync(waiter, options, cancellationToken);
    }

    internal void Leave()
    {
        lock (_queueing)
        {
            _inFlight--;
            var seconds = _clock.GetElapsedTime(_lastLeave).TotalSeconds;
            _lastLeave = _clock.GetTimestamp();
            _secondsBetweenLeaves += (seconds - _secondsBetweenLeaves) * RateShare;
            LetIn(_options());
        }
    }

    private async ValueTask<AdmissionPlace> WaitAsync(Waiter waiter, RouterOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await waiter.Admitted.Task.WaitAsync(options.QueueTimeout, _clock, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            lock (_queueing)
            {
                if (_waiting.Remove(waiter, out _, out _))
                {
                    waiter.Share.Waiting--;
                    if (exception is TimeoutException)
                    {
                        throw TooMany($"No place in {options.QueueTimeout.TotalSeconds:0.###} s, which is this router's limit of waiting. Try again.");
                    }
                    throw;
                }
            }
            // It was let in at the same moment: the place is there, and whoever cancelled gives it back at once.
        }
        return new AdmissionPlace(this, _clock.GetElapsedTime(waiter.Since));
    }

    private void LetIn(RouterOptions options)
    {
        while (_inFlight < options.MaxInFlight && _waiting.TryDequeue(out var next, out _))
        {
            _inFlight++;
            next.Share.Waiting--;
            _virtualTime = Math.Max(_virtualTime, next.Start);
            next.Admitted.SetResult();
        }
    }

    private TenantShare ShareOf(Tenant tenant)
    {
        if (!_tenants.TryGetValue(tenant.Name, out var share))
        {
            share = new TenantShare();
            _tenants.Add(tenant.Name, share);   // names come from the key file, so there are as many as it has
        }
        return share;
    }

    private RouterException TooMany(string message)
    {
        var pause = TimeSpan.FromSeconds(Math.Min((_waiting.Count + 1) * _secondsBetweenLeaves, LongestPause.TotalSeconds));
        return RouterException.TooMany(message, pause);
    }

    private sealed class TenantShare
    {
        public double Finish { get; set; }

        public int Waiting { get; set; }
    }

    private sealed class Waiter(TenantShare share, double start, long since)
    {
        public TenantShare Share { get; } = share;

        public double Start { get; } = start;

        public long Since { get; } = since;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
