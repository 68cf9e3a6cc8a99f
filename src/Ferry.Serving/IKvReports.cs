namespace Ferry.Serving;

/// <summary>What the exchange did, by request and in all: the source of proof headers and <c>ferry_kv_*</c> metrics. Any thread.</summary>
public interface IKvReports
{
    /// <summary>What was done for a request so far; null when nothing was asked of the exchange. Complete for the load at the latest when the first token is out.</summary>
    /// <param name="requestId">As given to the engine.</param>
    KvRequestReport? TryGet(string requestId);

    /// <summary>The request's answer is out: its report is not asked for again.</summary>
    void Forget(string requestId);

    /// <summary>Counters since the start.</summary>
    KvTotals Snapshot();
}
