namespace Ferry.Cache.Tiers.Disk;

/// <summary>The directory of a disk tier cannot be opened; the message says why and what to do.</summary>
public sealed class DiskTierException : Exception
{
    public DiskTierException(string message)
        : base(message)
    {
    }

    public DiskTierException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
