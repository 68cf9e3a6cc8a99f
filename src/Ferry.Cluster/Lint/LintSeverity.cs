namespace Ferry.Cluster.Lint;

/// <summary>How bad a finding is; also the exit code of a run whose worst it is.</summary>
public enum LintSeverity
{
    /// <summary>Worth knowing; the cluster works.</summary>
    Info = 0,

    /// <summary>Works less well, less safely or not for long.</summary>
    Warning = 1,

    /// <summary>Does not start, moves no KV, loses data or gives wrong answers.</summary>
    Error = 2,
}
