namespace Ferry.Cluster.Diagnosis;

/// <summary>What a trouble costs, worst first.</summary>
public enum SignatureSeverity
{
    /// <summary>Answers may be wrong although everything reports success.</summary>
    Silent = 3,

    /// <summary>A process does not start, or requests fail.</summary>
    Failure = 2,

    /// <summary>Requests are answered, but slowly, or without the cache or the hand-over that was configured.</summary>
    Degraded = 1,

    /// <summary>Worth knowing while looking for something else.</summary>
    Hint = 0,
}
