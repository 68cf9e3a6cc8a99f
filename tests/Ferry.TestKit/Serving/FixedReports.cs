using Ferry.Serving;

namespace Ferry.TestKit.Serving;

/// <summary>Reports the same for every request.</summary>
public sealed class FixedReports(KvRequestReport? report, KvTotals? totals = null) : IKvReports
{
    private int _forgotten;

    /// <summary>Requests whose report was given back.</summary>
    public int Forgotten => Volatile.Read(ref _forgotten);

    public KvRequestReport? TryGet(string requestId) => report;

    public void Forget(string requestId) => Interlocked.Increment(ref _forgotten);

    public KvTotals Snapshot() => totals ?? new KvTotals();
}
