namespace Ferry.Router.Admission;

/// <summary>A request's place among those in flight. Disposed exactly once, when the request is over.</summary>
public sealed class AdmissionPlace : IDisposable
{
    private AdmissionQueue? _queue;

    internal AdmissionPlace(AdmissionQueue queue, TimeSpan waited)
    {
        _queue = queue;
        Waited = waited;
    }

    /// <summary>How long the request queued.</summary>
    public TimeSpan Waited { get; }

    public void Dispose() => Interlocked.Exchange(ref _queue, null)?.Leave();
}
