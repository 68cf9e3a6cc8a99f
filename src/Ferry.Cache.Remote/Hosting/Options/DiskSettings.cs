namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>The disk tier that the user asked for.</summary>
/// <param name="CapacityBytes">Exact cap of everything in the directory.</param>
/// <param name="Sync">What a write promises: none, interval or every.</param>
public sealed record DiskSettings(string Path, long CapacityBytes, string Sync);
