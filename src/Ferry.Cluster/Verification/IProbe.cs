namespace Ferry.Cluster.Verification;

/// <summary>One thing that must be so in a live cluster. A new one is one file and one line in <see cref="ProbeCatalog"/>.</summary>
internal interface IProbe
{
    /// <summary>Name on the command line, such as <c>side-channel</c>.</summary>
    string Id { get; }

    /// <summary>What must be so, in a few words.</summary>
    string Title { get; }

    /// <summary>How long one run may take; then it is inconclusive.</summary>
    TimeSpan Timeout => TimeSpan.FromSeconds(30);

    /// <summary>Runs after all others and alone: it counts what the cluster does meanwhile.</summary>
    bool IsExclusive => false;

    /// <summary>Its runs in this cluster; none where the cluster has nothing of the kind.</summary>
    IEnumerable<ProbeTask> Tasks(VerifyCluster cluster);
}
