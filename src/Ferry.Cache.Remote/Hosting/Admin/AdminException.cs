namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>A request that cannot be done as asked.</summary>
internal sealed class AdminException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
