namespace Ferry.Cluster.Diagnosis;

/// <summary>One known trouble: how it shows, why it happens, how to be sure and how to mend it.</summary>
public sealed record Signature
{
    /// <summary>Stable name, such as <c>DIAG-UCX-01</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Whose trouble it is: UCX, NIXL, vLLM, LMCache, S3, Redis, Ceph, disk, RDMA, Gaudi, ROCm, Docker, Kubernetes, Ferry…</summary>
    public required string Component { get; init; }

    public required SignatureSeverity Severity { get; init; }

    public required string Title { get; init; }

    /// <summary>All of them, in any order, no further apart than <see cref="WithinLines"/>. Empty: seen in metrics only.</summary>
    public IReadOnlyList<SignatureLine> Lines { get; init; } = [];

    /// <summary>How far apart the lines may lie: a traceback of vLLM with its worker prefixes seldom has more lines.</summary>
    public int WithinLines { get; init; } = 80;

    /// <summary>A line anywhere in the same log that proves the opposite.</summary>
    public SignatureLine? Unless { get; init; }

    /// <summary>Judges a page of metrics: what it shows, or null when all is well. Null: seen in logs only.</summary>
    public Func<MetricPage, string?>? Metric { get; init; }

    /// <summary>Why it happens.</summary>
    public required string Cause { get; init; }

    /// <summary>What to do, as exactly as can be said without the configuration.</summary>
    public required string Fix { get; init; }

    /// <summary>Rules of <c>ferry lint</c> that find it before anything starts.</summary>
    public IReadOnlyList<string> LintRules { get; init; } = [];

    /// <summary>Where it was seen: <c>owner/repository#number</c>, a URL, or in words.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>What would make it certain.</summary>
    public IReadOnlyList<EvidenceNeed> Needs { get; init; } = [];

    /// <summary>Signatures of which this one is the consequence, when they are sighted too.</summary>
    public IReadOnlyList<string> CausedBy { get; init; } = [];
}
