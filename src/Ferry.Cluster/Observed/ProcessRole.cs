namespace Ferry.Cluster.Observed;

internal enum ProcessRole
{
    /// <summary>Nothing says so.</summary>
    Unknown,
    Prefill,
    Decode,
    Both,
}
