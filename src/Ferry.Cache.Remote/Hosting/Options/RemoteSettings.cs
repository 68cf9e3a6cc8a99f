namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>The remote tier that the user asked for.</summary>
/// <param name="CapacityBytes">Null: no limit.</param>
/// <param name="ExpireAfter">Null: records stay until there is no room.</param>
/// <param name="CredentialsFile">Null: the standard chain.</param>
public sealed record RemoteSettings(RemoteTierAddress Address, long? CapacityBytes, TimeSpan? ExpireAfter, string? CredentialsFile);
