namespace Ferry.Cluster.Verification;

/// <summary>What a probe found. The numbers are exit codes of <c>ferry verify</c>.</summary>
public enum ProbeVerdict
{
    /// <summary>It ran, and what it looks for is so.</summary>
    Pass = 0,

    /// <summary>It ran, and what it looks for is not so.</summary>
    Violation = 1,

    /// <summary>It could not find out. Not passed.</summary>
    Inconclusive = 2,

    /// <summary>It cannot be run over the access that this node has. Not passed.</summary>
    Unsupported = 3,
}
